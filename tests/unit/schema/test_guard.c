#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "schema/guard.h"

TestSuite(guard, .timeout = 10);

static struct name_entry entries[] = {
	{"ctypes", 6, true},
	{"os", 2, true},
	{"os.path", 7, false},
};

/* "outer" denies os but for os.path, and ctypes; "inner" allows nothing but json. */
static struct guard two(void)
{
	static struct name_entry json = {"json", 4, false};
	static struct name_entry eval = {"builtins.eval", 13, true};

	return (struct guard){
		.policies = {{"inner", 5, {{&json, 1, true}, {NULL, 0, false}}},
			     {"outer",
			      5,
			      {{entries, ARRAY_COUNT(entries), false}, {&eval, 1, false}}}},
		.count = 2,
	};
}

static void encode(const struct guard *guard, struct buf *ret)
{
	buf_init(ret, LIMIT_GUARD_BYTES);
	guard_encode(guard, ret);
	cr_assert(eq(int, buf_check(ret, NULL), 0));
}

static const char *denier(const struct guard *guard, enum guard_topic topic, const char *name)
{
	struct guard_denial denial;

	if (!guard_denies(guard, topic, name, strlen(name), &denial))
		return "none";
	return denial.policy == &guard->policies[0] ? "inner" : "outer";
}

Test(guard, what_was_written_is_read_and_asks_every_policy)
{
	struct guard guard = two();
	struct guard got;
	own_buf buf;

	encode(&guard, &buf);
	cr_assert(eq(int, guard_decode(buf.data, buf.length, &got, NULL), 0));

	cr_expect(eq(sz, got.count, 2));
	cr_expect_str_eq(denier(&got, GUARD_MODULES, "json"), "none");
	cr_expect_str_eq(denier(&got, GUARD_MODULES, "json.decoder"), "none");
	cr_expect_str_eq(denier(&got, GUARD_MODULES, "os"), "inner");
	cr_expect_str_eq(denier(&got, GUARD_FUNCTIONS, "builtins.eval"), "outer");
	cr_expect_str_eq(denier(&got, GUARD_FUNCTIONS, "builtins.evaluate"), "none");
	guard_done(&got);
}

Test(guard, the_entry_with_most_labels_decides)
{
	struct guard guard = two();
	struct guard_denial denial;

	guard.policies[0] = guard.policies[1];
	guard.count = 1;

	cr_expect(guard_denies(&guard, GUARD_MODULES, "os.x.y", 6, &denial));
	cr_expect(eq(sz, denial.entry->length, 2));
	cr_expect(not(guard_denies(&guard, GUARD_MODULES, "os.path.x", 9, &denial)));
	cr_expect(not(guard_denies(&guard, GUARD_MODULES, "osx", 3, &denial)));
	cr_expect(not(guard_denies(&guard, GUARD_MODULES, "", 0, &denial)));
	cr_expect(not(guard_denies(&guard, GUARD_MODULES, "...", 3, &denial)));
}

Test(guard, every_truncation_and_one_byte_more_are_refused)
{
	struct guard guard = two();
	struct guard got;
	own_buf buf;

	encode(&guard, &buf);
	for (size_t length = 0; length < buf.length; length++)
		cr_expect_eq(guard_decode(buf.data, length, &got, NULL), -EBADMSG, "%zu",
			     length);
	buf_add_char(&buf, '\0');
	cr_expect(eq(int, guard_decode(buf.data, buf.length, &got, NULL), -EBADMSG));
}

Test(guard, entries_out_of_order_or_twice_are_refused)
{
	struct name_entry wrong[][2] = {{{"b", 1, true}, {"a", 1, true}},
					{{"a", 1, true}, {"a", 1, false}}};

	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		struct guard guard = {.policies = {{"p", 1, {{wrong[i], 2, false}}}},
				      .count = 1};
		struct guard got;
		own_buf buf;

		encode(&guard, &buf);
		cr_expect(eq(int, guard_decode(buf.data, buf.length, &got, NULL), -EBADMSG));
	}
}

Test(guard, names_that_are_no_names_are_refused)
{
	static const struct name_entry wrong[] = {
		{"", 0, true}, {"a\0b", 3, true}, {"\xff", 1, true}, {"\xe2\x82", 2, true}};

	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		struct name_entry entry = wrong[i];
		struct guard guard = {.policies = {{"p", 1, {{&entry, 1, false}}}}, .count = 1};
		struct guard got;
		own_buf buf;

		encode(&guard, &buf);
		cr_expect_eq(guard_decode(buf.data, buf.length, &got, NULL), -EBADMSG, "%zu",
			     i);
	}
}

/* Byte 0: policies; 1: bytes of the name; 7: the default of its modules; 8: how many. */
Test(guard, numbers_out_of_range_are_refused)
{
	static const struct {
		size_t at;
		char value;
	} wrong[] = {{0, 0},   {0, LIMIT_GUARD_POLICIES + 1}, {1, 0}, {7, 2}, {8, 127},
		     {11, 127}};
	struct guard guard = two();
	own_buf good;

	encode(&guard, &good);
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		struct guard got;
		char before = good.data[wrong[i].at];

		good.data[wrong[i].at] = wrong[i].value;
		cr_expect_eq(guard_decode(good.data, good.length, &got, NULL), -EBADMSG, "%zu",
			     i);
		good.data[wrong[i].at] = before;
	}
}

Test(guard, more_than_its_limit_is_refused_unread)
{
	static char zeros[LIMIT_GUARD_BYTES + 1];
	struct guard got;

	cr_expect(eq(int, guard_decode(zeros, sizeof(zeros), &got, NULL), -EBADMSG));
}
