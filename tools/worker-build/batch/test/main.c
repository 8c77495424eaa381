// Sends random datagrams over real sockets, with errors in between, and compares each with the model.
//   batch-test SEED DATAGRAMS
//   batch-test SEED again    tries a receiver again that keeps refusing segments
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../counters.h"
#include "../segmentation.h"
#include "../sockets.h"
#include "model.h"

// As turns.c has it.
enum { KEPT_BLOCKS = BLOCKS * 3 / 4, DEADLINE_SECONDS = 20 };
// How often a receiver is tried again: more often than segmentation may be refused in a row.
enum { AGAIN = 100, RUN = 8 };

static uv_loop_t loop;
static uint64_t given, sent_alone;
static unsigned open_handles;

// In some runs no receiver takes segments, as behind a network card without checksums.
static bool all_refuse_segments(void) {
	return seed % 4 == 3;
}

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buffer) {
	static char room[65536];
	(void)handle, (void)size;
	*buffer = uv_buf_init(room, sizeof room);
}

static void on_received(uv_udp_t *handle, ssize_t length, const uv_buf_t *buffer, const struct sockaddr *from, unsigned flags) {
	(void)handle, (void)buffer, (void)flags;
	CHECK(length == 0 && !from, "a sender received something");
}

static void open_sender(struct sender *sender) {
	*sender = (struct sender){.family = below(2) ? AF_INET : AF_INET6};
	uv_udp_t *handle = malloc(sizeof *handle);
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	uv_ip4_addr("127.0.0.1", 0, &v4);
	uv_ip6_addr("::", 0, &v6);
	const struct sockaddr *address = sender->family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6;
	CHECK(uv_udp_init(&loop, handle) == 0 && uv_udp_bind(handle, address, 0) == 0, "no socket");
	// As mediasoup's sockets do, which keeps the loop going.
	CHECK(uv_udp_recv_start(handle, on_room, on_received) == 0, "cannot receive");
	struct sockaddr_storage bound;
	int length = sizeof bound;
	uv_udp_getsockname(handle, (struct sockaddr *)&bound, &length);
	sender->port = sender->family == AF_INET ? ((struct sockaddr_in *)&bound)->sin_port : ((struct sockaddr_in6 *)&bound)->sin6_port;
	uv_os_fd_t fd;
	uv_fileno((uv_handle_t *)handle, &fd);
	sender->fd = fd;
	sender->handle = handle;
	open_handles++;
	for (unsigned receiver = 0; receiver < RECEIVERS; receiver++) sender->refuses_segments[receiver] = all_refuse_segments() || below(8) == 0;
}

static void on_closed(uv_handle_t *handle) {
	free(handle);
	open_handles--;
}

static void close_sender(struct sender *sender) {
	uint64_t dropped = batch_counters->dropped_datagrams, calls = kernel_calls;
	bool is_pending = all_pending(sender) > 0;
	uv_close((uv_handle_t *)sender->handle, on_closed);
	CHECK(!is_pending || kernel_calls > calls, "what is pending is not tried before its socket closes");
	CHECK(batch_counters->dropped_datagrams - dropped == all_pending(sender), "closing drops what is pending");
	while (all_pending(sender) > 0) drop_oldest_of(sender);
	receive_all();
	sender->handle = NULL;
}

static struct sender *longest_waiting(void) {
	struct sender *longest = NULL;
	for (unsigned index = 0; index < SENDERS; index++) {
		struct sender *sender = &senders[index];
		if (!sender->handle || sender->waits_since == 0 || all_pending(sender) == 0) continue;
		if (!longest || sender->waits_since < longest->waits_since) longest = sender;
	}
	CHECK(longest, "something was dropped while no socket waits");
	return longest;
}

static unsigned all_blocks(void) {
	unsigned sum = 0;
	for (unsigned index = 0; index < SENDERS; index++) sum += senders[index].blocks;
	return sum;
}

static void give(struct sender *sender, unsigned receiver, unsigned length) {
	const struct sockaddr *address = address_of(receiver, sender->family);
	if (!address) return;
	struct expected datagram = {.length = length, .number = ++given * 4096};
	char bytes[LONGEST];
	make_bytes(&datagram, bytes);
	uint64_t dropped = batch_counters->dropped_datagrams;
	// A socket that waits drops its own oldest first.
	while (sender->waits_since > 0 && sender->blocks > 0 && sender->blocks + blocks_needed(length) > KEPT_BLOCKS) {
		drop_oldest_of(sender);
		dropped++;
	}
	uv_buf_t buffer = uv_buf_init(bytes, length);
	CHECK(uv_udp_try_send(sender->handle, &buffer, 1, address) == (int)length, "the datagram is not taken");
	for (; dropped < batch_counters->dropped_datagrams; dropped++) {
		CHECK(all_blocks() + blocks_needed(length) > BLOCKS, "something is dropped while there is room");
		drop_oldest_of(longest_waiting());
	}
	append(sender, receiver, datagram);
	if (sockets_find(sender->handle)) return;
	// The last socket has just closed, and libuv has not closed yet what the batch had open: it is sent at once.
	CHECK(sockets_count() == 0, "a datagram is sent on its own");
	shift(sender, receiver, true);
	sent_alone++;
}

static unsigned any_length(void) {
	switch (below(4)) {
		case 0: return 1 + below(LONGEST);
		case 1: return 1 + below(100);
		default: return 1100 + below(3);
	}
}

static void give_some(void) {
	struct sender *sender = &senders[below(SENDERS)];
	unsigned receivers = 1 + below(RECEIVERS), rounds = 1 + below(24), length = any_length();
	for (unsigned round = 0; round < rounds; round++) {
		for (unsigned index = 0; index < receivers; index++) give(sender, index, length);
		if (below(4) == 0) length = any_length();
	}
}

static bool is_anything_pending(void) {
	for (unsigned index = 0; index < SENDERS; index++)
		if (all_pending(&senders[index]) > 0) return true;
	return false;
}

static void send_all(void) {
	time_t deadline = time(NULL) + DEADLINE_SECONDS;
	while (is_anything_pending()) {
		uv_run(&loop, UV_RUN_NOWAIT);
		CHECK(time(NULL) < deadline, "something is never sent");
	}
	receive_all();
}

static void step(void) {
	struct sender *sender = &senders[below(SENDERS)];
	switch (below(16)) {
		case 0:
			close_sender(sender);
			if (below(2)) uv_run(&loop, UV_RUN_NOWAIT);
			open_sender(sender);
			return;
		case 1:
			sender->stuck_calls = below(40);
			sender->stuck_error = below(2) ? EAGAIN : ENOBUFS;
			return;
		case 2: send_all(); return;
		case 3:
			// Those that refused segments may accept them now.
			if (below(8)) return;
			clock_ahead += SINGLE_MS;
			for (unsigned receiver = 0; receiver < RECEIVERS; receiver++)
				sender->refuses_segments[receiver] = all_refuse_segments() || below(8) == 0;
			return;
		case 4: case 5: uv_run(&loop, UV_RUN_NOWAIT); receive_all(); return;
		default: give_some();
	}
}

static long resident_kilobytes(void) {
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");
	if (file && fscanf(file, "%*d %ld", &pages) != 1) pages = 0;
	if (file) fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

// One receiver refuses segments each time that it is tried, and nobody else gets any.
static void try_again(void) {
	struct sender *sender = &senders[0];
	sender->refuses_segments[0] = true;
	for (unsigned times = 1; times <= AGAIN; times++) {
		time_t deadline = time(NULL) + DEADLINE_SECONDS;
		// A message can get another error than the one for its segments.
		while (uv_now(&loop) >= sender->refused_until[0]) {
			CHECK(time(NULL) < deadline, "segments are sent no more after %u times", times);
			for (unsigned index = 0; index < RUN; index++) give(sender, 0, 1100);
			send_all();
		}
		clock_ahead += SINGLE_MS;
	}
	CHECK(tried_again >= AGAIN - 1, "tried again %llu times", (unsigned long long)tried_again);
	CHECK(batch_counters->state == BATCH_SEGMENTED, "one receiver turns segmentation off for all");
	CHECK(batch_counters->refused_segmentation == 1, "%llu refuse", (unsigned long long)batch_counters->refused_segmentation);
}

int main(int count, char **arguments) {
	CHECK(count == 3, "batch-test SEED DATAGRAMS, or SEED again");
	seed = strtoull(arguments[1], NULL, 10);
	uint64_t datagrams = strtoull(arguments[2], NULL, 10);
	CHECK(uv_loop_init(&loop) == 0, "no loop");
	open_receivers();
	for (unsigned index = 0; index < SENDERS; index++) open_sender(&senders[index]);
	long resident = 0;
	if (strcmp(arguments[2], "again") == 0) try_again();
	while (given < datagrams) {
		step();
		if (resident == 0 && given > datagrams / 10) resident = resident_kilobytes();
	}
	send_all();
	long grown = resident_kilobytes() - resident;
	for (unsigned index = 0; index < SENDERS; index++) close_sender(&senders[index]);
	uv_run(&loop, UV_RUN_DEFAULT);
	CHECK(uv_loop_close(&loop) == 0 && open_handles == 0, "the loop has something open");

	CHECK(batch_counters->datagrams == sent_datagrams && received_datagrams == sent_datagrams + sent_alone, "datagrams");
	CHECK(batch_counters->messages == sent_messages, "messages");
	CHECK(batch_counters->refused_messages == refused_messages, "refused messages");
	CHECK(batch_counters->refused_datagrams == refused_datagrams, "refused datagrams");
	CHECK(batch_counters->dropped_datagrams == dropped_datagrams, "dropped datagrams");
	CHECK(given == sent_datagrams + sent_alone + refused_datagrams + dropped_datagrams, "each datagram ends in one way");
	CHECK(all_refuse_segments() || given < 100000 || tried_again > 0, "who refused segments is not tried again");
	CHECK(!all_refuse_segments() || given < 100000 || batch_counters->state == BATCH_SINGLE, "segmentation goes on");
	printf("{\"given\": %llu, \"sent\": %llu, \"messages\": %llu, \"refused\": %llu, \"dropped\": %llu, \"grownKiB\": %ld}\n",
				 (unsigned long long)given, (unsigned long long)sent_datagrams, (unsigned long long)sent_messages,
				 (unsigned long long)refused_datagrams, (unsigned long long)dropped_datagrams, grown);
	return 0;
}
