#include "sockets.h"

#include <string.h>

enum { SOCKET_BUCKETS = 256, DESTINATION_BUCKETS = 4096 };

static struct socket sockets[SOCKETS];
static struct socket *socket_buckets[SOCKET_BUCKETS], *released_sockets;
static unsigned touched_sockets, known_sockets;

static struct destination destinations[DESTINATIONS];
static struct destination *destination_buckets[DESTINATION_BUCKETS], *released_destinations;
static unsigned touched_destinations;
static struct link idle = {&idle, &idle};

static uint64_t mix(uint64_t key, uint64_t value) {
	key = (key ^ value) * 0x9e3779b97f4a7c15ULL;
	return key ^ key >> 32;
}

static struct socket **socket_bucket(const uv_udp_t *handle) {
	return &socket_buckets[mix(0, (uintptr_t)handle) % SOCKET_BUCKETS];
}

struct socket *sockets_find(const uv_udp_t *handle) {
	struct socket *socket = *socket_bucket(handle);
	while (socket && socket->handle != handle) socket = socket->next_of_bucket;
	return socket;
}

struct socket *sockets_find_or_add(uv_udp_t *handle) {
	struct socket *socket = sockets_find(handle);
	if (socket) return socket;

	uv_os_fd_t fd;
	if (uv_fileno((const uv_handle_t *)handle, &fd) != 0) return NULL;
	socket = released_sockets;
	if (socket) released_sockets = socket->next_of_bucket;
	else if (touched_sockets < SOCKETS) socket = &sockets[touched_sockets++];
	else return NULL;

	struct socket **bucket = socket_bucket(handle);
	*socket = (struct socket){.handle = handle, .fd = fd, .next_of_bucket = *bucket, .polled_fd = -1};
	*bucket = socket;
	link_clear(&socket->destinations);
	link_clear(&socket->pending);
	link_clear(&socket->datagrams);
	link_clear(&socket->scheduled);
	known_sockets++;
	return socket;
}

unsigned sockets_count(void) {
	return known_sockets;
}

static uint64_t hash(const struct socket *socket, const struct sockaddr *address) {
	uint64_t key = mix(0, (uintptr_t)socket);
	if (address->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
		return mix(key, (uint64_t)v4->sin_addr.s_addr << 16 | v4->sin_port);
	}
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;
	uint64_t halves[2];
	memcpy(halves, &v6->sin6_addr, sizeof halves);
	return mix(mix(mix(key, halves[0]), halves[1]), (uint64_t)v6->sin6_scope_id << 16 | v6->sin6_port);
}

static bool same_address(const struct sockaddr *a, const struct sockaddr *b) {
	if (a->sa_family != b->sa_family) return false;
	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *x = (const struct sockaddr_in *)a, *y = (const struct sockaddr_in *)b;
		return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
	}
	const struct sockaddr_in6 *x = (const struct sockaddr_in6 *)a, *y = (const struct sockaddr_in6 *)b;
	return x->sin6_port == y->sin6_port && x->sin6_scope_id == y->sin6_scope_id &&
				 x->sin6_flowinfo == y->sin6_flowinfo && memcmp(&x->sin6_addr, &y->sin6_addr, sizeof x->sin6_addr) == 0;
}

socklen_t address_length(const struct sockaddr *address) {
	return address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static void forget(struct destination *destination) {
	struct destination **place =
			&destination_buckets[hash(destination->socket, &destination->address.any) % DESTINATION_BUCKETS];
	while (*place != destination) place = &(*place)->next_of_bucket;
	*place = destination->next_of_bucket;
	link_remove(&destination->of_socket);
	link_remove(&destination->queued);
	destination->next_of_bucket = released_destinations;
	released_destinations = destination;
}

static struct destination *unused_destination(void) {
	if (!released_destinations && touched_destinations < DESTINATIONS) return &destinations[touched_destinations++];
	// Reuses the destination that has been idle longest. There is one, because there are more destinations than blocks.
	if (!released_destinations) forget(MEMBER(struct destination, queued, idle.next));
	struct destination *destination = released_destinations;
	released_destinations = destination->next_of_bucket;
	return destination;
}

struct destination *destination_find_or_add(struct socket *socket, const struct sockaddr *address) {
	uint64_t bucket = hash(socket, address) % DESTINATION_BUCKETS;
	struct destination *destination = destination_buckets[bucket];
	for (; destination; destination = destination->next_of_bucket)
		if (destination->socket == socket && same_address(&destination->address.any, address)) return destination;

	// Must come before the bucket is read: it may remove another destination from the same bucket.
	destination = unused_destination();
	*destination = (struct destination){.socket = socket, .next_of_bucket = destination_buckets[bucket]};
	memcpy(&destination->address, address, address_length(address));
	destination_buckets[bucket] = destination;
	link_append(&socket->destinations, &destination->of_socket);
	link_append(&idle, &destination->queued);
	return destination;
}

void destination_append(struct destination *destination, struct block *datagram) {
	struct socket *socket = destination->socket;
	if (destination->first) {
		destination->last->next = datagram;
	} else {
		destination->first = datagram;
		link_remove(&destination->queued);
		link_append(&socket->pending, &destination->queued);
	}
	destination->last = datagram;
	datagram->destination = destination;
	link_append(&socket->datagrams, &datagram->by_age);
	socket->blocks += blocks_needed(datagram->length);
}

void destination_shift(struct destination *destination) {
	struct block *datagram = destination->first;
	destination->first = datagram->next;
	if (!destination->first) {
		destination->last = NULL;
		link_remove(&destination->queued);
		link_append(&idle, &destination->queued);
	}
	link_remove(&datagram->by_age);
	destination->socket->blocks -= blocks_needed(datagram->length);
	blocks_release(datagram);
}

struct destination *socket_oldest(struct socket *socket) {
	return MEMBER(struct block, by_age, socket->datagrams.next)->destination;
}

void sockets_remove(struct socket *socket) {
	while (!link_is_empty(&socket->destinations))
		forget(MEMBER(struct destination, of_socket, socket->destinations.next));
	struct socket **place = socket_bucket(socket->handle);
	while (*place != socket) place = &(*place)->next_of_bucket;
	*place = socket->next_of_bucket;
	known_sockets--;
}

void sockets_release(struct socket *socket) {
	socket->next_of_bucket = released_sockets;
	released_sockets = socket;
}
