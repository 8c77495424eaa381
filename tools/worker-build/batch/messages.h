// Sends the datagrams that wait on a socket: each run of them to one destination as a message, many messages a call.
#ifndef BATCH_MESSAGES_H
#define BATCH_MESSAGES_H

#include "sockets.h"

enum sent {
	SENT_ALL,
	// The socket's queue is full. The rest can be sent when the socket is writable.
	SENT_UNTIL_FULL,
	// The kernel has no memory at present. The socket counts as writable all the same.
	SENT_UNTIL_NO_MEMORY,
};

enum sent messages_send(struct socket *socket);

#endif
