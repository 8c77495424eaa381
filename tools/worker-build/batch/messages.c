#define _GNU_SOURCE
#include "messages.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "counters.h"
#include "segmentation.h"

enum {
	// Messages of one call. More would gain nothing: entering the kernel is a small part of their cost.
	MESSAGES = 64,
	// Enough for runs in all messages, and for one datagram of the greatest length.
	PIECES = MESSAGES * SEGMENTS + MOST_BLOCKS,
};

// What a message carries: this many datagrams to one destination.
struct run {
	struct destination *destination;
	unsigned datagrams;
};

static struct mmsghdr headers[MESSAGES];
static struct run runs[MESSAGES];
static struct iovec pieces[PIECES];
static union {
	struct cmsghdr aligned;
	char bytes[CMSG_SPACE(sizeof(uint16_t))];
} controls[MESSAGES];

static void ask_for_segments_of(uint16_t length, struct msghdr *header, unsigned message) {
	header->msg_control = &controls[message];
	header->msg_controllen = sizeof controls[message].bytes;
	struct cmsghdr *control = CMSG_FIRSTHDR(header);
	control->cmsg_level = SOL_UDP;
	control->cmsg_type = UDP_SEGMENT;
	control->cmsg_len = CMSG_LEN(sizeof length);
	memcpy(CMSG_DATA(control), &length, sizeof length);
}

// Makes one message of a datagram and of those after it that fit. The kernel cuts a message every `length` bytes, so all
// of its datagrams but the last have the same length. Returns the first datagram that is not in the message.
static struct block *build(unsigned message, struct destination *destination, struct block *datagram, unsigned *used) {
	struct msghdr *header = &headers[message].msg_hdr;
	*header = (struct msghdr){
			.msg_name = &destination->address,
			.msg_namelen = address_length(&destination->address.any),
			.msg_iov = &pieces[*used],
	};
	unsigned length = datagram->length, count = 0, bytes = 0;
	unsigned most = length <= SEGMENT_BYTES ? segments_to(destination) : 1;
	while (datagram && count < most && datagram->length <= length && (count == 0 || bytes == count * length)) {
		unsigned left = datagram->length;
		for (struct block *part = datagram; part; part = part->rest) {
			unsigned piece = left < BLOCK_BYTES ? left : BLOCK_BYTES;
			pieces[(*used)++] = (struct iovec){part->bytes, piece};
			left -= piece;
		}
		bytes += datagram->length;
		count++;
		datagram = datagram->next;
	}
	header->msg_iovlen = &pieces[*used] - header->msg_iov;
	if (count > 1) ask_for_segments_of((uint16_t)length, header, message);
	runs[message] = (struct run){destination, count};
	return datagram;
}

// Makes messages of what waits, each destination's oldest datagrams first. Returns how many.
static unsigned build_all(struct socket *socket) {
	unsigned messages = 0, used = 0;
	for (struct link *at = socket->pending.next; at != &socket->pending; at = at->next) {
		struct destination *destination = MEMBER(struct destination, queued, at);
		for (struct block *datagram = destination->first; datagram;) {
			if (messages == MESSAGES || used + MOST_BLOCKS > PIECES) return messages;
			datagram = build(messages++, destination, datagram, &used);
		}
	}
	return messages;
}

static void took(unsigned messages) {
	batch_counters->messages += messages;
	for (unsigned message = 0; message < messages; message++) {
		const struct run *run = &runs[message];
		batch_counters->datagrams += run->datagrams;
		segmentation_took(run->destination, run->datagrams);
		for (unsigned datagram = 0; datagram < run->datagrams; datagram++) destination_shift(run->destination);
	}
}

// Handles an error of the first message. The others are sent by the next call.
static void refused(int error) {
	const struct run *run = &runs[0];
	if (run->datagrams > 1 && segmentation_refused(run->destination, error)) return;
	batch_counters->refused_messages++;
	batch_counters->refused_datagrams += run->datagrams;
	for (unsigned datagram = 0; datagram < run->datagrams; datagram++) destination_shift(run->destination);
}

enum sent messages_send(struct socket *socket) {
	for (;;) {
		unsigned messages = build_all(socket);
		if (messages == 0) return SENT_ALL;
		// sendmmsg() fails only for the first message. The error of a later one comes with the next call.
		int sent = sendmmsg(socket->fd, headers, messages, MSG_DONTWAIT);
		if (sent > 0) took((unsigned)sent);
		else if (errno == EAGAIN) return SENT_UNTIL_FULL;
		else if (errno == ENOBUFS || errno == ENOMEM) return SENT_UNTIL_NO_MEMORY;
		else if (errno != EINTR) refused(errno);
	}
}
