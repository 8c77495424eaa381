#include "model.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../blocks.h"

struct sender senders[SENDERS];
uint64_t seed, kernel_calls, received_datagrams, tried_again, clock_ahead;
uint64_t sent_datagrams, sent_messages, refused_datagrams, refused_messages, dropped_datagrams;
static uint64_t state;

void fail(int line, const char *file, const char *condition, const char *format, ...) {
	fprintf(stderr, "seed %llu, %s:%d: not %s: ", (unsigned long long)seed, file, line, condition);
	va_list arguments;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	abort();
}

static uint64_t scramble(uint64_t value) {
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
	value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
	return value ^ value >> 31;
}

uint64_t chance(void) {
	if (state == 0) state = scramble(seed + 1);
	return scramble(state += 0x9e3779b97f4a7c15ULL);
}

unsigned below(unsigned limit) {
	return (unsigned)(chance() % limit);
}

void make_bytes(const struct expected *datagram, char *bytes) {
	for (unsigned at = 0; at < datagram->length; at += 8) {
		uint64_t word = scramble(datagram->number + at);
		unsigned left = datagram->length - at;
		memcpy(bytes + at, &word, left < 8 ? left : 8);
	}
}

unsigned pending(const struct queue *queue) {
	return (unsigned)(queue->appended - queue->sent);
}

struct expected *item(struct queue *queue, uint64_t index) {
	return &queue->items[index % QUEUE];
}

void append(struct sender *sender, unsigned receiver, struct expected datagram) {
	struct queue *queue = &sender->to[receiver];
	CHECK(queue->appended - queue->received < QUEUE, "the model's queue is too short");
	*item(queue, queue->appended++) = datagram;
	sender->blocks += blocks_needed(datagram.length);
}

void shift(struct sender *sender, unsigned receiver, bool arrives) {
	struct queue *queue = &sender->to[receiver];
	CHECK(pending(queue) > 0, "nothing is pending for receiver %u", receiver);
	struct expected *first = item(queue, queue->sent);
	sender->blocks -= blocks_needed(first->length);
	if (!arrives) first->length = 0;
	queue->sent++;
}

void drop_oldest_of(struct sender *sender) {
	unsigned oldest = RECEIVERS;
	for (unsigned receiver = 0; receiver < RECEIVERS; receiver++) {
		struct queue *queue = &sender->to[receiver];
		if (pending(queue) == 0) continue;
		uint64_t number = item(queue, queue->sent)->number;
		if (oldest == RECEIVERS || number < item(&sender->to[oldest], sender->to[oldest].sent)->number) oldest = receiver;
	}
	CHECK(oldest < RECEIVERS, "nothing is left to be dropped");
	shift(sender, oldest, false);
	dropped_datagrams++;
}

unsigned all_pending(const struct sender *sender) {
	unsigned sum = 0;
	for (unsigned receiver = 0; receiver < RECEIVERS; receiver++) sum += pending(&sender->to[receiver]);
	return sum;
}
