// When datagrams are sent: at the end of the part of a turn of libuv's loop in which they were given.
#ifndef BATCH_TURNS_H
#define BATCH_TURNS_H

#include "sockets.h"

// Takes a datagram, which is sent in this turn. Returns false where it is to be sent at once instead, because nothing
// can be kept for it; nothing is kept for its destination then.
bool turns_take(uv_udp_t *handle, const char *bytes, size_t length, const struct sockaddr *address);

// Sends what is kept for a socket, so that what follows does not overtake it.
void turns_send(uv_udp_t *handle);

// Sends what is kept for a socket, as far as it takes it, and forgets the socket.
void turns_close(uv_udp_t *handle);

#endif
