#include "turns.h"

#include <fcntl.h>
#include <unistd.h>

#include "counters.h"
#include "messages.h"
#include "segmentation.h"

enum {
	// The most blocks that a waiting socket keeps. The rest is for other sockets.
	KEPT_BLOCKS = BLOCKS * 3 / 4,
	// When a socket is tried again, if no event says that it is writable.
	RETRY_MS = 1,
};

// Sockets with datagrams that can be sent now, and sockets that accept nothing at present.
static struct link ready = {&ready, &ready}, waiting = {&waiting, &waiting};

// Send before libuv waits for events, after it has handled them, and when waiting sockets are tried again.
static uv_prepare_t before_waiting;
static uv_check_t after_events;
static uv_timer_t retry;
static bool running;
// How many of the three are being closed.
static unsigned closing;

static void on_writable(uv_poll_t *poll, int status, int events);

static void drop_oldest(struct socket *socket) {
	destination_shift(socket_oldest(socket));
	batch_counters->dropped_datagrams++;
}

static void become_ready(struct socket *socket) {
	if (socket->waiting && socket->polled_fd >= 0) uv_poll_stop(&socket->poll);
	socket->waiting = false;
	link_remove(&socket->scheduled);
	if (!link_is_empty(&socket->datagrams)) link_append(&ready, &socket->scheduled);
}

// Watches the socket until it is writable. Returns false when it cannot be watched.
static bool watch(struct socket *socket) {
	if (socket->polled_fd < 0) {
		int fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0) return false;
		if (uv_poll_init(socket->handle->loop, &socket->poll, fd) != 0) {
			close(fd);
			return false;
		}
		uv_unref((uv_handle_t *)&socket->poll);
		socket->poll.data = socket;
		socket->polled_fd = fd;
	}
	return uv_poll_start(&socket->poll, UV_WRITABLE, on_writable) == 0;
}

static void wait_for(struct socket *socket, enum sent why);

static void send_now(struct socket *socket) {
	enum sent sent = messages_send(socket);
	become_ready(socket);
	if (sent != SENT_ALL) wait_for(socket, sent);
}

static void on_retry(uv_timer_t *timer) {
	(void)timer;
	struct link tried;
	link_clear(&tried);
	while (!link_is_empty(&waiting)) {
		struct link *first = waiting.next;
		link_remove(first);
		link_append(&tried, first);
	}
	while (!link_is_empty(&tried)) send_now(MEMBER(struct socket, scheduled, tried.next));
}

static void wait_for(struct socket *socket, enum sent why) {
	socket->waiting = true;
	link_remove(&socket->scheduled);
	link_append(&waiting, &socket->scheduled);
	if (why == SENT_UNTIL_FULL && watch(socket)) return;
	if (!uv_is_active((uv_handle_t *)&retry)) uv_timer_start(&retry, on_retry, RETRY_MS, 0);
}

static void on_writable(uv_poll_t *poll, int status, int events) {
	(void)status, (void)events;
	send_now(poll->data);
}

static void send_all_ready(void) {
	while (!link_is_empty(&ready)) send_now(MEMBER(struct socket, scheduled, ready.next));
}

static void on_prepare(uv_prepare_t *handle) {
	(void)handle;
	send_all_ready();
}

static void on_check(uv_check_t *handle) {
	(void)handle;
	send_all_ready();
}

static void run_in(uv_loop_t *loop) {
	uv_prepare_init(loop, &before_waiting);
	uv_prepare_start(&before_waiting, on_prepare);
	uv_check_init(loop, &after_events);
	uv_check_start(&after_events, on_check);
	uv_timer_init(loop, &retry);
	// They must not keep the loop alive.
	uv_unref((uv_handle_t *)&before_waiting);
	uv_unref((uv_handle_t *)&after_events);
	uv_unref((uv_handle_t *)&retry);
	running = true;
}

static void on_closed(uv_handle_t *handle) {
	(void)handle;
	closing--;
}

// Called when the last socket has closed, so that the loop can end.
static void stop(void) {
	running = false;
	closing = 3;
	uv_close((uv_handle_t *)&before_waiting, on_closed);
	uv_close((uv_handle_t *)&after_events, on_closed);
	uv_close((uv_handle_t *)&retry, on_closed);
}

// Frees as many blocks as a datagram needs.
static void make_room(struct socket *socket, unsigned blocks) {
	while (socket->waiting && socket->blocks > 0 && socket->blocks + blocks > KEPT_BLOCKS) drop_oldest(socket);
	if (blocks_free() < blocks) send_all_ready();
	while (blocks_free() < blocks) {
		// Sockets that are not waiting have sent everything.
		struct socket *oldest = MEMBER(struct socket, scheduled, waiting.next);
		drop_oldest(oldest);
		if (link_is_empty(&oldest->datagrams)) become_ready(oldest);
	}
}

bool turns_take(uv_udp_t *handle, const char *bytes, size_t length, const struct sockaddr *address) {
	if (closing > 0) return false;
	struct socket *socket = sockets_find_or_add(handle);
	if (!socket) return false;
	if (!running) run_in(handle->loop);
	segmentation_probe(socket->fd, handle->loop);
	make_room(socket, blocks_needed(length));
	destination_append(destination_find_or_add(socket, address), blocks_take(bytes, length));
	if (!socket->waiting && link_is_empty(&socket->scheduled)) link_append(&ready, &socket->scheduled);
	return true;
}

void turns_send(uv_udp_t *handle) {
	struct socket *socket = sockets_find(handle);
	if (socket) send_now(socket);
}

static void on_poll_closed(uv_handle_t *poll) {
	sockets_release(poll->data);
}

void turns_close(uv_udp_t *handle) {
	struct socket *socket = sockets_find(handle);
	if (!socket) return;
	messages_send(socket);
	while (!link_is_empty(&socket->datagrams)) drop_oldest(socket);
	become_ready(socket);
	sockets_remove(socket);
	if (socket->polled_fd >= 0) {
		uv_close((uv_handle_t *)&socket->poll, on_poll_closed);
		close(socket->polled_fd);
	} else {
		sockets_release(socket);
	}
	if (sockets_count() == 0) stop();
}
