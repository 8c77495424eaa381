// Sends what waits on a socket: runs of datagrams to one destination as one message each, many messages a call.
#ifndef BATCH_MESSAGES_H
#define BATCH_MESSAGES_H

#include "sockets.h"

enum sent {
	SENT_ALL,
	// The socket's own queue is full: the rest can be sent once the socket is writable.
	SENT_UNTIL_FULL,
	// The kernel has no memory at present, and says that the socket is writable.
	SENT_UNTIL_NO_MEMORY,
};

enum sent messages_send(struct socket *socket);

#endif
