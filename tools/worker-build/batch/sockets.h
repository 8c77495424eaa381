// Sockets, the destinations of each, and what waits for these. All of it lies in fixed memory.
#ifndef BATCH_SOCKETS_H
#define BATCH_SOCKETS_H

#include <netinet/in.h>
#include <stdint.h>
#include <uv.h>

#include "blocks.h"

enum {
	SOCKETS = 1024,
	// More than blocks, so that one without datagrams can always be reused.
	DESTINATIONS = 2 * BLOCKS,
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct socket {
	uv_udp_t *handle;
	int fd;
	struct socket *next_of_bucket;
	// All its destinations, and those with datagrams, in the order in which they got their first one.
	struct link destinations, pending;
	// Its datagrams, the oldest first.
	struct link datagrams;
	unsigned blocks;
	// In one of the two lists of turns.c, or in none.
	struct link scheduled;
	bool waiting;
	// A second descriptor of the same socket, because libuv watches a descriptor only once; -1 until it is needed.
	int polled_fd;
	uv_poll_t poll;
};

struct destination {
	struct socket *socket;
	union address address;
	struct destination *next_of_bucket;
	struct link of_socket;
	// In its socket's `pending`, or in the list of idle destinations, the least recently used first.
	struct link queued;
	struct block *first, *last;
	// Until when it gets single datagrams, ms of the loop's clock; 0 where it may get segments.
	uint64_t single_until;
	// It refused segments, and has accepted no single datagram since: it may refuse these too.
	bool suspect;
	// The error of that refusal.
	int refusal;
	// It counts as one that refuses segments, until it accepts some.
	bool counted;
};

// Finds the socket of a handle, or adds it. Returns null when there are too many.
struct socket *sockets_find_or_add(uv_udp_t *handle);
struct socket *sockets_find(const uv_udp_t *handle);
// Removes a socket without datagrams from the table. Its memory can be reused after sockets_release().
void sockets_remove(struct socket *socket);
void sockets_release(struct socket *socket);
// The number of sockets in the table.
unsigned sockets_count(void);

struct destination *destination_find_or_add(struct socket *socket, const struct sockaddr *address);

void destination_append(struct destination *destination, struct block *datagram);
// Releases its oldest datagram.
void destination_shift(struct destination *destination);
// Returns the destination of a socket's oldest datagram.
struct destination *socket_oldest(struct socket *socket);

socklen_t address_length(const struct sockaddr *address);

#endif
