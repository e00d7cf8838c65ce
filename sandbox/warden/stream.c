#include "sandbox/warden/stream.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>

#define STREAM_CHUNK_BYTES 65536 /* a pipe's usual capacity: one read empties it */

void stream_init(struct stream *stream, void *owner)
{
	*stream =
		(struct stream){.fd = -1, .watch = {.fd = -1, .owner = stream}, .owner = owner};
}

static void stream_keep(struct stream *stream, struct loop *loop, const char *data,
			size_t length)
{
	size_t room = stream->limit_bytes - stream->bytes.length;

	if (length <= room) {
		buf_add(&stream->bytes, data, length);
		return;
	}
	buf_add(&stream->bytes, data, room);
	stream->is_over = true;
	/* The pipe stays open, so that the job blocks in write(2) until it is killed instead of
	 * being told by SIGPIPE and going on. */
	loop_unwatch(loop, &stream->watch);
	if (stream->over != NULL)
		stream->over(stream);
}

void stream_drain(struct stream *stream, struct loop *loop)
{
	static char chunk[STREAM_CHUNK_BYTES];

	while (stream->fd >= 0 && !stream->is_over) {
		ssize_t got = read(stream->fd, chunk, sizeof(chunk));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			/* At the end nothing more can come, and a watched end is always ready.
			 */
			if (got == 0 || errno != EAGAIN)
				loop_unwatch(loop, &stream->watch);
			return;
		}
		stream_keep(stream, loop, chunk, (size_t)got);
		if ((size_t)got < sizeof(chunk))
			return;
	}
}

static void stream_ready(struct loop *loop, struct watch *watch, uint32_t events)
{
	struct stream *stream = watch->owner;

	(void)events;
	stream_drain(stream, loop);
}

int stream_open(struct stream *stream, int *ret_write_fd, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(err, errno, "pipe for a worker's output");
	stream->fd = ends[0];
	/* Only our end: the worker's programs expect blocking output. */
	if (fcntl(stream->fd, F_SETFL, O_NONBLOCK) != 0) {
		fd_drop(&ends[1]);
		return err_errno(err, errno, "make a pipe non-blocking");
	}
	stream->is_over = false;
	stream_limit(stream, 0);
	*ret_write_fd = ends[1];
	return 0;
}

bool streams_are_silent(const struct stream *one, const struct stream *other)
{
	struct pollfd ends[] = {{.fd = one->fd, .events = POLLIN},
				{.fd = other->fd, .events = POLLIN}};

	return poll(ends, ARRAY_COUNT(ends), 0) >= 0 &&
	       ((ends[0].revents | ends[1].revents) & POLLIN) == 0;
}

int stream_listen(struct stream *stream, struct loop *loop, struct err *err)
{
	/* Nobody would empty it, and what is full is always ready. */
	if (stream->is_over)
		return 0;
	stream->watch.ready = stream_ready;
	return loop_watch(loop, &stream->watch, stream->fd, EPOLLIN, err);
}

void stream_limit(struct stream *stream, size_t limit_bytes)
{
	buf_done(&stream->bytes);
	buf_init(&stream->bytes, limit_bytes);
	stream->limit_bytes = limit_bytes;
}

void stream_close(struct stream *stream, struct loop *loop)
{
	loop_unwatch(loop, &stream->watch);
	fd_drop(&stream->fd);
	buf_done(&stream->bytes);
}
