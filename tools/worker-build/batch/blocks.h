// The memory of the datagrams that wait to be sent. It is fixed, and its pages become resident only once they are used.
#ifndef BATCH_BLOCKS_H
#define BATCH_BLOCKS_H

#include "link.h"

enum {
	BLOCKS = 2048,
	// What of a datagram a block holds. A datagram below the usual MTU of 1500 needs one block.
	BLOCK_BYTES = 1492,
	// The longest payload of UDP over IPv4.
	LONGEST_DATAGRAM = 65507,
	MOST_BLOCKS = (LONGEST_DATAGRAM + BLOCK_BYTES - 1) / BLOCK_BYTES,
};

struct destination;

// A datagram, or the continuation of a longer one. The size is no power of two, so that the beginnings of many blocks
// do not compete for the same lines of the cache.
struct block {
	// Among the datagrams of its socket, the oldest first.
	struct link by_age;
	// The next datagram to the same destination.
	struct block *next;
	// The rest of a datagram that is longer than a block.
	struct block *rest;
	// Of the whole datagram, in its first block.
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
