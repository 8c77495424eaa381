// Sockets, the destinations of each, and what waits for these. All of it lies in fixed memory.
#ifndef BATCH_SOCKETS_H
#define BATCH_SOCKETS_H

#include <netinet/in.h>
#include <stdint.h>
#include <uv.h>

#include "blocks.h"

enum {
	SOCKETS = 1024,
	// More than there are blocks, so that there is always one without datagrams to make room for a new one.
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
	// All its destinations, and those that have datagrams, in the order in which they got the first.
	struct link destinations, pending;
	// Its datagrams, the oldest first.
	struct link datagrams;
	unsigned blocks;
	// Among the sockets that have something to send now, or among those that take nothing at present. See turns.c.
	struct link scheduled;
	bool waiting;
	// A second descriptor of the same socket, since libuv watches each descriptor only once; -1 until it is needed.
	int polled_fd;
	uv_poll_t poll;
};

struct destination {
	struct socket *socket;
	union address address;
	struct destination *next_of_bucket;
	struct link of_socket;
	// In its socket's `pending`, or among the idle ones, the least recently used first.
	struct link queued;
	struct block *first, *last;
	// Until when datagrams are sent one by one, ms of the loop's clock; 0 where segmentation has not failed.
	uint64_t single_until;
	// Segmentation has failed, and no single datagram has shown yet that it was segmentation that failed.
	bool suspect;
	// What it failed with.
	int refusal;
};

// The socket of a handle, which becomes known with its first datagram. Null where there are too many.
struct socket *sockets_find_or_add(uv_udp_t *handle);
struct socket *sockets_find(const uv_udp_t *handle);
// Takes a socket without datagrams out of the table. Its memory is used again after sockets_release().
void sockets_remove(struct socket *socket);
void sockets_release(struct socket *socket);
// How many are in the table.
unsigned sockets_count(void);

struct destination *destination_find_or_add(struct socket *socket, const struct sockaddr *address);

void destination_append(struct destination *destination, struct block *datagram);
// Takes away its oldest datagram.
void destination_shift(struct destination *destination);
// The destination of the oldest datagram of a socket, which is the oldest of that destination too.
struct destination *socket_oldest(struct socket *socket);

socklen_t address_length(const struct sockaddr *address);

#endif
