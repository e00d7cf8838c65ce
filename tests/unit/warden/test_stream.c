#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "sandbox/warden/stream.h"

TestSuite(stream, .timeout = 10);

static int overs;

static void count(struct stream *stream)
{
	(void)stream;
	overs++;
}

Test(stream, keeps_the_first_bytes_and_tells_once)
{
	struct stream stream;
	struct loop loop;
	int writer = -1;

	cr_assert(eq(int, loop_init(&loop, NULL), 0));
	stream_init(&stream, NULL);
	stream.over = count;
	cr_assert(eq(int, stream_open(&stream, &writer, NULL), 0));
	stream_limit(&stream, 4);

	cr_assert(eq(long, write(writer, "abc", 3), 3));
	stream_drain(&stream, &loop);
	cr_assert(eq(int, overs, 0));
	cr_assert(eq(long, write(writer, "def", 3), 3));
	stream_drain(&stream, &loop);
	stream_drain(&stream, &loop);

	cr_assert(eq(int, overs, 1));
	cr_assert(stream.is_over);
	cr_assert(eq(sz, stream.bytes.length, 4));
	cr_assert(eq(int, memcmp(stream.bytes.data, "abcd", 4), 0));
	(void)close(writer);
	stream_close(&stream, &loop);
	loop_done(&loop);
}

Test(stream, the_exact_limit_is_not_over)
{
	struct stream stream;
	struct loop loop;
	int writer = -1;

	cr_assert(eq(int, loop_init(&loop, NULL), 0));
	stream_init(&stream, NULL);
	stream.over = count;
	cr_assert(eq(int, stream_open(&stream, &writer, NULL), 0));
	stream_limit(&stream, 3);

	cr_assert(eq(long, write(writer, "abc", 3), 3));
	(void)close(writer);
	stream_drain(&stream, &loop);
	stream_drain(&stream, &loop);

	cr_assert(not(stream.is_over));
	cr_assert(eq(int, overs, 0));
	stream_close(&stream, &loop);
	loop_done(&loop);
}

static void stop(struct stream *stream)
{
	struct loop *loop = stream->owner;

	overs++;
	loop_stop(loop);
}

Test(stream, is_read_by_itself_once_it_is_listened_to)
{
	struct stream stream;
	struct loop loop;
	int writer = -1;

	cr_assert(eq(int, loop_init(&loop, NULL), 0));
	stream_init(&stream, &loop);
	stream.over = stop;
	cr_assert(eq(int, stream_open(&stream, &writer, NULL), 0));
	stream_limit(&stream, 2);
	cr_assert(eq(long, write(writer, "abc", 3), 3));
	cr_assert(eq(sz, stream.bytes.length, 0));

	cr_assert(eq(int, stream_listen(&stream, &loop, NULL), 0));
	cr_assert(eq(int, loop_run(&loop, NULL), 0));

	cr_assert(eq(int, overs, 1));
	cr_assert(eq(sz, stream.bytes.length, 2));
	(void)close(writer);
	stream_close(&stream, &loop);
	loop_done(&loop);
}

Test(stream, two_are_silent_until_one_has_printed)
{
	struct stream out;
	struct stream errors;
	struct loop loop;
	int writers[2] = {-1, -1};

	cr_assert(eq(int, loop_init(&loop, NULL), 0));
	stream_init(&out, NULL);
	stream_init(&errors, NULL);
	cr_assert(eq(int, stream_open(&out, &writers[0], NULL), 0));
	cr_assert(eq(int, stream_open(&errors, &writers[1], NULL), 0));
	stream_limit(&errors, 8);
	cr_assert(streams_are_silent(&out, &errors));

	cr_assert(eq(long, write(writers[1], "x", 1), 1));
	cr_assert(not(streams_are_silent(&out, &errors)));
	stream_drain(&errors, &loop);
	cr_assert(streams_are_silent(&out, &errors));

	/* Who is gone prints nothing. */
	(void)close(writers[0]);
	(void)close(writers[1]);
	cr_assert(streams_are_silent(&out, &errors));
	stream_close(&out, &loop);
	stream_close(&errors, &loop);
	loop_done(&loop);
}
