#include "segmentation.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "counters.h"

// After this many destinations in a row that refuse segments, no destination gets any.
enum { REFUSING = 64 };

static const uv_loop_t *clock_of;
static unsigned refusing_in_a_row;
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
	destination->suspect = true;
	destination->refusal = error;
	return true;
}

void segmentation_took(struct destination *destination, unsigned datagrams) {
	if (datagrams > 1) {
		refusing_in_a_row = 0;
		destination->suspect = destination->counted = false;
	} else if (destination->suspect) {
		destination->suspect = false;
		// One that is tried every ten minutes is still one: it must not turn segmentation off for all.
		if (destination->counted) return;
		destination->counted = true;
		batch_counters->refused_segmentation++;
		say_once("on the way to a peer", destination->refusal);
		if (++refusing_in_a_row == REFUSING) batch_counters->state = BATCH_SINGLE;
	}
}
