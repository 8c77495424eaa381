#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "model.h"

enum { DEADLINE_SECONDS = 20 };

// The first half listens on IPv4, the second on IPv6.
static struct {
	int fd;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
} receivers[RECEIVERS];

void open_receivers(void) {
	for (unsigned index = 0; index < RECEIVERS; index++) {
		bool v4 = index < RECEIVERS / 2;
		int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		CHECK(fd >= 0, "no socket: %s", strerror(errno));
		struct sockaddr_in any4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		struct sockaddr_in6 any6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
		const struct sockaddr *address = v4 ? (struct sockaddr *)&any4 : (struct sockaddr *)&any6;
		CHECK(bind(fd, address, v4 ? sizeof any4 : sizeof any6) == 0, "no address: %s", strerror(errno));
		int size = 64 << 20;
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) != 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
		receivers[index].fd = fd;
		if (v4) {
			socklen_t length = sizeof receivers[index].v4;
			getsockname(fd, (struct sockaddr *)&receivers[index].v4, &length);
			struct sockaddr_in6 *mapped = &receivers[index].v6;
			*mapped = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = receivers[index].v4.sin_port};
			inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped->sin6_addr);
		} else {
			socklen_t length = sizeof receivers[index].v6;
			getsockname(fd, (struct sockaddr *)&receivers[index].v6, &length);
		}
	}
}

const struct sockaddr *address_of(unsigned receiver, int family) {
	if (family == AF_INET6) return (const struct sockaddr *)&receivers[receiver].v6;
	return receiver < RECEIVERS / 2 ? (const struct sockaddr *)&receivers[receiver].v4 : NULL;
}

unsigned receiver_at(const struct sockaddr *address) {
	for (unsigned receiver = 0; receiver < RECEIVERS; receiver++) {
		const struct sockaddr *known = address_of(receiver, address->sa_family);
		if (known && memcmp(known, address, address->sa_family == AF_INET ? 8 : sizeof(struct sockaddr_in6)) == 0)
			return receiver;
	}
	CHECK(false, "an unknown address");
	return 0;
}

static struct sender *sender_at(const struct sockaddr_storage *address) {
	uint16_t port = address->ss_family == AF_INET ? ((const struct sockaddr_in *)address)->sin_port
																								: ((const struct sockaddr_in6 *)address)->sin6_port;
	for (unsigned index = 0; index < SENDERS; index++)
		if (senders[index].handle && senders[index].port == port) return &senders[index];
	CHECK(false, "from an unknown socket");
	return NULL;
}

// Skips the datagrams that were lost on purpose.
static void skip_lost(struct queue *queue) {
	while (queue->received < queue->sent && item(queue, queue->received)->length == 0) queue->received++;
}

static void compare(unsigned receiver, const char *bytes, size_t length, const struct sockaddr_storage *from) {
	struct queue *queue = &sender_at(from)->to[receiver];
	skip_lost(queue);
	CHECK(queue->received < queue->sent, "receiver %u got %zu bytes that were not sent", receiver, length);
	const struct expected *next = item(queue, queue->received++);
	CHECK(next->length == length, "receiver %u got %zu bytes, not %u", receiver, length, next->length);
	char expected[LONGEST];
	make_bytes(next, expected);
	CHECK(memcmp(expected, bytes, length) == 0, "receiver %u got other bytes", receiver);
	received_datagrams++;
}

static void receive(unsigned receiver) {
	// More than any datagram of the test, so that a message that nobody cut apart shows.
	char bytes[65536];
	struct sockaddr_storage from;
	for (;;) {
		socklen_t size = sizeof from;
		ssize_t length = recvfrom(receivers[receiver].fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);
		if (length < 0) return;
		compare(receiver, bytes, (size_t)length, &from);
	}
}

static bool misses(unsigned receiver) {
	for (unsigned index = 0; index < SENDERS; index++) {
		struct queue *queue = &senders[index].to[receiver];
		skip_lost(queue);
		if (queue->received < queue->sent) return true;
	}
	return false;
}

void receive_all(void) {
	time_t deadline = time(NULL) + DEADLINE_SECONDS;
	for (unsigned receiver = 0; receiver < RECEIVERS; receiver++) {
		receive(receiver);
		while (misses(receiver)) {
			struct pollfd polled = {.fd = receivers[receiver].fd, .events = POLLIN};
			poll(&polled, 1, 100);
			receive(receiver);
			CHECK(time(NULL) < deadline, "receiver %u waits for a datagram that was sent", receiver);
		}
	}
}
