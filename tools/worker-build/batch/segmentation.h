// Decides who is sent several datagrams in one message, which the kernel or the network card cuts apart
// (UDP_SEGMENT, Linux 4.18). Some paths refuse it: a segment above the path's MTU, IPsec, a card without checksums.
#ifndef BATCH_SEGMENTATION_H
#define BATCH_SEGMENTATION_H

#include "sockets.h"

enum {
	// A message leaves as one burst: 16 datagrams are what a switch's queue takes without harm.
	SEGMENTS = 16,
	// What fits into an MTU of 1500 over IPv6. A segment above the path's MTU is refused, where a datagram is fragmented.
	SEGMENT_BYTES = 1452,
};

_Static_assert(SEGMENT_BYTES <= (int)BLOCK_BYTES, "a segment is one piece of a message");
_Static_assert(SEGMENTS * SEGMENT_BYTES < 65536, "a message is shorter than 64 KiB");

// Once, with any socket. A kernel that does not know segmentation would send the message as one long datagram.
void segmentation_probe(int fd, uv_loop_t *loop);

// How many datagrams a message to the destination may carry.
unsigned segments_to(struct destination *destination);

// A message was refused. Returns whether its datagrams are to be sent one by one instead.
bool segmentation_refused(struct destination *destination, int error);

// A message with this many datagrams was taken.
void segmentation_took(struct destination *destination, unsigned datagrams);

#endif
