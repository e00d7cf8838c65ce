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
	cr_assert(eq(int, stream_open(&stream, &loop, &writer, NULL), 0));
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
	cr_assert(eq(int, stream_open(&stream, &loop, &writer, NULL), 0));
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
