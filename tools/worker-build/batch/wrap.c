// Replaces two functions of libuv in the worker, with the linker's --wrap. mediasoup calls uv_udp_try_send() for each
// packet and viewer, and the kernel's part of these calls is more than half of the worker's CPU time.
#include <uv.h>

#include "blocks.h"
#include "counters.h"
#include "turns.h"

int __real_uv_udp_try_send(uv_udp_t *handle, const uv_buf_t *buffers, unsigned count, const struct sockaddr *address);
void __real_uv_close(uv_handle_t *handle, uv_close_cb on_closed);

static bool may_be_kept(const uv_buf_t *buffers, unsigned count, const struct sockaddr *address) {
	return batch_counters->state != BATCH_OFF && count == 1 && buffers[0].len > 0 && buffers[0].len <= LONGEST_DATAGRAM &&
				 address && (address->sa_family == AF_INET || address->sa_family == AF_INET6);
}

int __wrap_uv_udp_try_send(uv_udp_t *handle, const uv_buf_t *buffers, unsigned count, const struct sockaddr *address) {
	if (may_be_kept(buffers, count, address) && turns_take(handle, buffers[0].base, buffers[0].len, address))
		return (int)buffers[0].len;
	turns_send(handle);
	return __real_uv_udp_try_send(handle, buffers, count, address);
}

void __wrap_uv_close(uv_handle_t *handle, uv_close_cb on_closed) {
	if (handle->type == UV_UDP) turns_close((uv_udp_t *)handle);
	__real_uv_close(handle, on_closed);
}
