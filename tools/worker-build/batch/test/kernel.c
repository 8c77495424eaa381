// Stands between the batch and the kernel: checks each message, answers some with errors, and passes the rest on.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "../counters.h"
#include "../segmentation.h"
#include "model.h"

uint64_t __real_uv_now(const uv_loop_t *loop);
int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

// The most datagrams of a message.
enum { MOST_SEGMENTS = 16 };

static uint64_t waits;

static struct sender *sender_of(int fd) {
	for (unsigned index = 0; index < SENDERS; index++)
		if (senders[index].handle && senders[index].fd == fd) return &senders[index];
	CHECK(false, "no socket has the descriptor %d", fd);
	return NULL;
}

// Checks that the kernel would accept a message. Returns how many datagrams it would make of it.
static unsigned datagrams_of(const struct msghdr *message, const unsigned *lengths, unsigned count) {
	struct cmsghdr *control = message->msg_controllen ? CMSG_FIRSTHDR(message) : NULL;
	if (!control) return 1;
	uint16_t size;
	memcpy(&size, CMSG_DATA(control), sizeof size);
	CHECK(control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_SEGMENT, "another control message");
	unsigned total = 0;
	for (unsigned index = 0; index < message->msg_iovlen; index++) total += (unsigned)message->msg_iov[index].iov_len;
	unsigned datagrams = (total + size - 1) / size;
	CHECK(total < 65536 && datagrams > 1 && datagrams <= MOST_SEGMENTS, "%u datagrams of %u bytes", datagrams, total);
	CHECK(datagrams <= count, "%u datagrams in a message, and only %u pending", datagrams, count);
	for (unsigned index = 0; index < datagrams; index++)
		CHECK(index + 1 < datagrams ? lengths[index] == size : lengths[index] <= size, "the cut moves datagram %u", index);
	return datagrams;
}

// Compares a message with what is to be sent next to its receiver. Returns how many datagrams it carries.
static unsigned inspect(struct sender *sender, const struct msghdr *message, uint64_t *cursor) {
	unsigned receiver = receiver_at(message->msg_name);
	struct queue *queue = &sender->to[receiver];
	uint64_t *next = &cursor[receiver];
	unsigned count = (unsigned)(queue->appended - *next), lengths[MOST_SEGMENTS] = {0};
	CHECK(count > 0, "receiver %u has nothing pending", receiver);
	for (unsigned index = 0; index < MOST_SEGMENTS && index < count; index++) lengths[index] = item(queue, *next + index)->length;
	unsigned datagrams = datagrams_of(message, lengths, count);
	uint64_t until = sender->refused_until[receiver];
	CHECK(datagrams == 1 || uv_now(sender->handle->loop) >= until, "receiver %u refused segments before", receiver);
	if (datagrams > 1 && until > 0) tried_again++;
	CHECK(datagrams == 1 || batch_counters->state == BATCH_SEGMENTED, "segmentation was given up");

	char bytes[65536], expected[65536];
	unsigned length = 0, expected_length = 0;
	for (unsigned index = 0; index < message->msg_iovlen; index++) {
		memcpy(bytes + length, message->msg_iov[index].iov_base, message->msg_iov[index].iov_len);
		length += (unsigned)message->msg_iov[index].iov_len;
	}
	for (unsigned index = 0; index < datagrams; index++) {
		make_bytes(item(queue, *next), expected + expected_length);
		expected_length += item(queue, (*next)++)->length;
	}
	CHECK(length == expected_length && memcmp(bytes, expected, length) == 0, "other bytes for receiver %u", receiver);
	return datagrams;
}

uint64_t __wrap_uv_now(const uv_loop_t *loop) {
	return __real_uv_now(loop) + clock_ahead;
}

static int answer(int error) {
	errno = error;
	return -1;
}

static int take(struct sender *sender, const struct mmsghdr *messages, const unsigned *datagrams, unsigned count) {
	for (unsigned index = 0; index < count; index++)
		for (unsigned datagram = 0; datagram < datagrams[index]; datagram++)
			shift(sender, receiver_at(messages[index].msg_hdr.msg_name), true);
	for (unsigned index = 0; index < count; index++) sent_datagrams += datagrams[index];
	sent_messages += count;
	sender->waits_since = 0;
	return (int)count;
}

static int full(struct sender *sender, int error) {
	sender->waits_since = ++waits;
	return answer(error);
}

static int refuse_first(struct sender *sender, const struct mmsghdr *messages, unsigned datagrams, int error) {
	for (unsigned datagram = 0; datagram < datagrams; datagram++)
		shift(sender, receiver_at(messages[0].msg_hdr.msg_name), false);
	refused_messages++;
	refused_datagrams += datagrams;
	return answer(error);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
	static const int of_segments[] = {EINVAL, EIO, EMSGSIZE}, of_destination[] = {EPERM, EHOSTUNREACH, EINVAL, EMSGSIZE};
	struct sender *sender = sender_of(fd);
	unsigned datagrams[64];
	uint64_t cursor[RECEIVERS];
	CHECK(count <= 64, "%u messages", count);
	kernel_calls++;
	for (unsigned receiver = 0; receiver < RECEIVERS; receiver++) cursor[receiver] = sender->to[receiver].sent;
	for (unsigned index = 0; index < count; index++)
		datagrams[index] = inspect(sender, &messages[index].msg_hdr, cursor);

	if (sender->stuck_calls > 0) {
		sender->stuck_calls--;
		return full(sender, sender->stuck_error);
	}
	switch (below(24)) {
		case 0: return full(sender, EAGAIN);
		case 1: return full(sender, ENOBUFS);
		case 2: return answer(EINTR);
		case 3: {
			// Errors of segmentation lose a message only if it has one datagram.
			int error = of_destination[below(4)];
			if (datagrams[0] == 1 || error == EPERM || error == EHOSTUNREACH)
				return refuse_first(sender, messages, datagrams[0], error);
			break;
		}
		case 4: count = 1 + below(count); break;
	}
	for (unsigned index = 0; index < count; index++) {
		unsigned receiver = receiver_at(messages[index].msg_hdr.msg_name);
		if (datagrams[index] == 1 || !sender->refuses_segments[receiver]) continue;
		if (index > 0) count = index;
		else sender->refused_until[receiver] = uv_now(sender->handle->loop) + SINGLE_MS;
		if (index == 0) return answer(of_segments[below(3)]);
		break;
	}
	int sent = __real_sendmmsg(fd, messages, count, flags);
	if (sent < 0) {
		CHECK(errno == EAGAIN || errno == ENOBUFS || errno == EINTR, "the kernel says %s", strerror(errno));
		return errno == EINTR ? -1 : full(sender, errno);
	}
	return take(sender, messages, datagrams, (unsigned)sent);
}
