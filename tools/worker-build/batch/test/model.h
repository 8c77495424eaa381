// What the batch should do, written as plainly as possible: a queue of expected datagrams for each socket and receiver.
#ifndef BATCH_TEST_MODEL_H
#define BATCH_TEST_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { SENDERS = 6, RECEIVERS = 24, QUEUE = 4096, LONGEST = 2000 };

// A datagram is known by its length and by a number from which its bytes are made.
struct expected {
	unsigned length;
	uint64_t number;
};

struct queue {
	struct expected items[QUEUE];
	// How many were appended, sent or lost, and received or skipped, since the socket was opened.
	uint64_t appended, sent, received;
};

struct sender {
	uv_udp_t *handle;
	int fd, family;
	// Port of its address in network order, by which receivers know it.
	uint16_t port;
	struct queue to[RECEIVERS];
	unsigned blocks;
	// When its socket began to accept nothing, as a number that grows; 0 while it accepts datagrams.
	uint64_t waits_since;
	// How many further calls the socket answers with the same error.
	unsigned stuck_calls;
	int stuck_error;
	// Receivers that it cannot reach with segments, and until when it must not try again, ms of the loop's clock.
	bool refuses_segments[RECEIVERS];
	uint64_t refused_until[RECEIVERS];
};

extern struct sender senders[SENDERS];
extern uint64_t seed, kernel_calls, received_datagrams;
// Messages with segments to receivers that refused some before.
extern uint64_t tried_again;
extern uint64_t sent_datagrams, sent_messages, refused_datagrams, refused_messages, dropped_datagrams;

#define CHECK(condition, ...) ((condition) ? (void)0 : fail(__LINE__, __FILE__, #condition, __VA_ARGS__))
_Noreturn void fail(int line, const char *file, const char *condition, const char *format, ...)
		__attribute__((format(printf, 4, 5)));

// What uv_now() answers is the loop's clock and this, ms.
extern uint64_t clock_ahead;

uint64_t chance(void);
unsigned below(unsigned limit);
void make_bytes(const struct expected *datagram, char *bytes);

unsigned pending(const struct queue *queue);
struct expected *item(struct queue *queue, uint64_t index);
void append(struct sender *sender, unsigned receiver, struct expected datagram);
// Removes the datagram that would be sent next. `arrives` says whether the receiver gets it.
void shift(struct sender *sender, unsigned receiver, bool arrives);
// The batch dropped the oldest datagram of the sender.
void drop_oldest_of(struct sender *sender);
unsigned all_pending(const struct sender *sender);

// The receivers' addresses as a sender of that family names them.
const struct sockaddr *address_of(unsigned receiver, int family);
unsigned receiver_at(const struct sockaddr *address);
void open_receivers(void);
// Waits until everything that was sent has arrived, and compares it.
void receive_all(void);

#endif
