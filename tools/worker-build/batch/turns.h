// Decides when datagrams are sent: when libuv has handled its events, and before it waits for more.
#ifndef BATCH_TURNS_H
#define BATCH_TURNS_H

#include "sockets.h"

// Keeps a datagram, to be sent in this turn of the loop. Returns false when it cannot be kept: send it at once. No earlier
// datagram waits for its destination then.
bool turns_take(uv_udp_t *handle, const char *bytes, size_t length, const struct sockaddr *address);

// Sends what is kept for a socket, so that a datagram sent at once does not overtake it.
void turns_send(uv_udp_t *handle);

// Sends what is kept for a socket, drops what the kernel does not accept, and forgets the socket.
void turns_close(uv_udp_t *handle);

#endif
