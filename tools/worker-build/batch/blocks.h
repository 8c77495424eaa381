// The memory of the datagrams that wait to be sent. Its size is fixed, and its pages become resident when first used.
#ifndef BATCH_BLOCKS_H
#define BATCH_BLOCKS_H

#include "link.h"

enum {
	BLOCKS = 2048,
	// Bytes of a datagram in one block. A datagram that fits the usual MTU of 1500 needs one block.
	BLOCK_BYTES = 1492,
	// The longest payload of UDP over IPv4.
	LONGEST_DATAGRAM = 65507,
	MOST_BLOCKS = (LONGEST_DATAGRAM + BLOCK_BYTES - 1) / BLOCK_BYTES,
};

struct destination;

// A datagram, or a further part of a long one. The size is no power of two, so that the beginnings of blocks are not
// all in the same sets of the CPU's cache.
struct block {
	// In the list of its socket's datagrams, the oldest first.
	struct link by_age;
	// The next datagram to the same destination.
	struct block *next;
	// The rest of a datagram that is longer than a block.
	struct block *rest;
	// These two are set in the first block only. The length is that of the whole datagram.
	struct destination *destination;
	unsigned length;
	char bytes[BLOCK_BYTES];
};

unsigned blocks_needed(size_t length);
unsigned blocks_free(void);

// Copies a datagram. There must be as many free blocks as it needs.
struct block *blocks_take(const char *bytes, size_t length);
void blocks_release(struct block *datagram);

#endif
