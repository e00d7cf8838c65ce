#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "schema/bundle.h"

TestSuite(bundle, .timeout = 10);

static struct span span_of(const struct buf *buf)
{
	return (struct span){.data = buf->data, .length = buf->length};
}

Test(bundle, entries_come_back_in_order)
{
	own_buf buf;
	struct bundle_reader reader;
	struct bundle_entry entry;
	struct span span;

	buf_init(&buf, 1000);
	bundle_add(&buf, BUNDLE_CODE, NULL, 0, "print(1)", 8);
	bundle_add(&buf, BUNDLE_ENV, "NAME", 4, "v\0w", 3);
	bundle_add(&buf, BUNDLE_FILE, "a/b", 3, NULL, 0);
	span = span_of(&buf);
	bundle_reader_init(&reader, &span);

	cr_assert(eq(int, bundle_next(&reader, &entry, NULL), 1));
	cr_assert(eq(int, entry.kind, BUNDLE_CODE));
	cr_assert(eq(int, memcmp(entry.data, "print(1)", 8), 0));
	cr_assert(eq(int, bundle_next(&reader, &entry, NULL), 1));
	cr_assert(eq(sz, entry.name_length, 4));
	cr_assert(eq(int, memcmp(entry.data, "v\0w", 3), 0));
	cr_assert(eq(int, bundle_next(&reader, &entry, NULL), 1));
	cr_assert(eq(sz, entry.length, 0));
	cr_assert(eq(int, bundle_next(&reader, &entry, NULL), 0));
}

Test(bundle, every_truncation_is_noticed)
{
	own_buf buf;

	buf_init(&buf, 1000);
	bundle_add(&buf, BUNDLE_FILE, "name", 4, "data", 4);
	for (size_t length = 1; length < buf.length; length++) {
		struct span span = {.data = buf.data, .length = length};
		struct bundle_reader reader;
		struct bundle_entry entry;

		bundle_reader_init(&reader, &span);
		cr_assert(eq(int, bundle_next(&reader, &entry, NULL), -EBADMSG));
	}
}

Test(bundle, a_length_that_overflows_is_refused)
{
	static const uint64_t lengths[] = {UINT64_MAX, UINT64_MAX - 15, UINT64_MAX - 20, 5};

	for (size_t i = 0; i < ARRAY_COUNT(lengths); i++) {
		own_buf buf;
		struct bundle_reader reader;
		struct bundle_entry entry;
		struct span span;

		buf_init(&buf, 1000);
		bundle_add(&buf, BUNDLE_FILE, "name", 4, "data", 4);
		for (int byte = 0; byte < 8; byte++)
			buf.data[8 + byte] = (char)(lengths[i] >> (8 * byte));
		span = span_of(&buf);
		bundle_reader_init(&reader, &span);
		cr_assert(eq(int, bundle_next(&reader, &entry, NULL), -EBADMSG));
	}
}

Test(bundle, an_unknown_kind_and_a_filled_gap_are_refused)
{
	static const size_t places[] = {0, 5};

	for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
		own_buf buf;
		struct bundle_reader reader;
		struct bundle_entry entry;
		struct span span;

		buf_init(&buf, 1000);
		bundle_add(&buf, BUNDLE_CODE, NULL, 0, "x", 1);
		buf.data[places[i]] = 99;
		span = span_of(&buf);
		bundle_reader_init(&reader, &span);
		cr_assert(eq(int, bundle_next(&reader, &entry, NULL), -EBADMSG));
	}
}
