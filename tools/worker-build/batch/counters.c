#define _GNU_SOURCE
#include "counters.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAGIC "MSBATCH1"
#define DESCRIPTOR_NAME "mediasoup-batch"

static struct batch_counters unshared;
struct batch_counters *batch_counters = &unshared;

// Before main(), so that the descriptor exists when the worker reports that it runs.
__attribute__((constructor)) static void share(void) {
	// The descriptor stays open, because the daemon looks for its entry in /proc.
	int fd = memfd_create(DESCRIPTOR_NAME, MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, sizeof unshared) == 0) {
		void *shared = mmap(NULL, sizeof unshared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (shared != MAP_FAILED) batch_counters = shared;
	}
	const char *setting = getenv("MEDIA_DAEMON_RTC_BATCH");
	batch_counters->state = setting && strcmp(setting, "off") == 0 ? BATCH_OFF : BATCH_SEGMENTED;
	memcpy(batch_counters->magic, MAGIC, sizeof batch_counters->magic);
}
