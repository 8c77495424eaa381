#include "segmentation.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "counters.h"

// A kernel forgets the MTU of a path after as long.
static const uint64_t SINGLE_MS = 10 * 60 * 1000;
// After so many destinations that refused it while none took it, no further one is tried.
enum { REFUSALS = 64 };

static const uv_loop_t *clock_of;
static unsigned refusals_in_a_row;
static bool logged;

static void say_once(const char *where, int error) {
	if (logged) return;
	logged = true;
	fprintf(stderr, "UDP segmentation is refused %s (%s): datagrams are sent one by one there, which needs more CPU\n",
					where, strerror(error));
}

void segmentation_probe(int fd, uv_loop_t *loop) {
	if (clock_of) return;
	clock_of = loop;
	int size;
	socklen_t length = sizeof size;
	if (getsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, &length) == 0) return;
	batch_counters->state = BATCH_SINGLE;
	say_once("by this kernel", errno);
}

unsigned segments_to(struct destination *destination) {
	if (batch_counters->state != BATCH_SEGMENTED) return 1;
	if (destination->single_until == 0) return SEGMENTS;
	if (uv_now(clock_of) < destination->single_until) return 1;
	destination->single_until = 0;
	return SEGMENTS;
}

bool segmentation_refused(struct destination *destination, int error) {
	if (error != EINVAL && error != EIO && error != EMSGSIZE && error != EOPNOTSUPP) return false;
	destination->single_until = uv_now(clock_of) + SINGLE_MS;
	// The destination itself may be what is invalid.
	destination->suspect = true;
	destination->refusal = error;
	return true;
}

void segmentation_took(struct destination *destination, unsigned datagrams) {
	if (datagrams > 1) {
		refusals_in_a_row = 0;
	} else if (destination->suspect) {
		destination->suspect = false;
		batch_counters->refused_segmentation++;
		say_once("on the way to a peer", destination->refusal);
		if (++refusals_in_a_row == REFUSALS) batch_counters->state = BATCH_SINGLE;
	}
}
