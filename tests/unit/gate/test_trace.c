#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/own.h"
#include "server/gate/trace.h"

TestSuite(trace, .timeout = 10);

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static struct text text_of(const char *word)
{
	return (struct text){word, strlen(word)};
}

Test(trace, good_values_are_taken_as_they_are)
{
	char id[LIMIT_REQUEST_ID_BYTES + 1];
	char parent[LIMIT_TRACEPARENT_BYTES + 1];
	char longest[LIMIT_REQUEST_ID_BYTES + 1];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	trace_take_id(text_of(longest), id);
	trace_take_parent(text_of(PARENT), parent);

	cr_assert(eq(str, id, longest));
	cr_assert(eq(str, parent, PARENT));
}

Test(trace, bad_values_are_replaced_by_good_ones)
{
	static const char *const ids[] = {"", "a b", "a\nb", "a/b", "\xc3\xa4", "a\"b"};
	static const char *const parents[] = {
		"",
		"00-00000000000000000000000000000000-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
		"01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
		"00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g",
	};
	char made[LIMIT_REQUEST_ID_BYTES + 1];

	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		trace_take_id(text_of(ids[i]), made);
		cr_assert(ne(str, made, (char *)(uintptr_t)ids[i]));
		cr_assert(trace_id_is_good(text_of(made)));
	}
	for (size_t i = 0; i < ARRAY_COUNT(parents); i++) {
		cr_assert(not(trace_parent_is_good(text_of(parents[i]))), "row %zu", i);
		trace_take_parent(text_of(parents[i]), made);
		cr_assert(trace_parent_is_good(text_of(made)), "%s", made);
	}
}

Test(trace, made_ids_differ)
{
	char one[LIMIT_REQUEST_ID_BYTES + 1];
	char two[LIMIT_REQUEST_ID_BYTES + 1];

	trace_take_id(text_of(""), one);
	trace_take_id(text_of(""), two);

	cr_assert(ne(str, one, two));
}
