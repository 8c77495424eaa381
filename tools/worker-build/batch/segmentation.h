// Decides which destinations get several datagrams in one message, which the kernel or the network card cuts apart
// (UDP_SEGMENT, Linux 4.18). It is refused for a segment above the path's MTU, with IPsec, and by cards without checksums.
#ifndef BATCH_SEGMENTATION_H
#define BATCH_SEGMENTATION_H

#include "sockets.h"

enum {
	// The most datagrams of a message. It leaves as one burst, which switches' queues must take.
	SEGMENTS = 16,
	// Fits into an MTU of 1500 over IPv6. The kernel fragments a datagram above the path's MTU, but refuses a segment.
	SEGMENT_BYTES = 1452,
	// How long a destination that refused segments gets single datagrams. The kernel keeps the MTU of a path as long.
	SINGLE_MS = 10 * 60 * 1000,
};

_Static_assert(SEGMENT_BYTES <= (int)BLOCK_BYTES, "a segment is one piece of a message");
_Static_assert(SEGMENTS * SEGMENT_BYTES < 65536, "a message is shorter than 64 KiB");

// Asks the kernel once, with any socket: an older one would send a message with segments as one long datagram.
void segmentation_probe(int fd, uv_loop_t *loop);

// How many datagrams a message to the destination may carry.
unsigned segments_to(struct destination *destination);

// Call when a message with several datagrams was refused. Returns whether to send them one by one instead.
bool segmentation_refused(struct destination *destination, int error);

// Call when a message with this many datagrams was accepted.
void segmentation_took(struct destination *destination, unsigned datagrams);

#endif
