/*
 * sandbox/warden/stream.h - what a job prints: a pipe read by the warden up to a limit, when it
 * is listened to or drained.
 *
 * The bytes are hostile and never looked at. Past the limit the first bytes are kept, the
 * stream is marked and its owner is told once; the job does not decide how much memory the
 * warden uses.
 */
#ifndef SANDBOX_WARDEN_STREAM_H
#define SANDBOX_WARDEN_STREAM_H

#include "base/buf.h"
#include "base/loop.h"

struct stream {
	int fd; /* owned read end; -1 when closed */
	struct watch watch;
	struct buf bytes;
	size_t limit_bytes;
	bool is_over; /* more came than the limit */
	void (*over)(struct stream *stream);
	void *owner;
};

void stream_init(struct stream *stream, void *owner);

/* A new pipe: the write end (for the worker) is the caller's. */
nodiscard int stream_open(struct stream *stream, int *ret_write_fd, struct err *err);

/* Nothing was printed that is not read. */
bool streams_are_silent(const struct stream *one, const struct stream *other);

/* From now on what comes is read when it comes. */
nodiscard int stream_listen(struct stream *stream, struct loop *loop, struct err *err);

/* For the job: how much it may print. */
void stream_limit(struct stream *stream, size_t limit_bytes);

/* Reads what is there now, without waiting. */
void stream_drain(struct stream *stream, struct loop *loop);

/* Closes the pipe and frees the bytes; legal when closed. */
void stream_close(struct stream *stream, struct loop *loop);

#endif
