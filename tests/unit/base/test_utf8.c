#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "base/utf8.h"

TestSuite(utf8, .timeout = 10);

struct sample {
	char bytes[8];
	size_t length;
	size_t sequence; /* 0: invalid */
};

/* The borders of RFC 3629, section 4. */
static struct sample samples[] = {
	{"a", 1, 1},
	{"\x7F", 1, 1},
	{"\x80", 1, 0},		    /* a continuation alone */
	{"\xC0\x80", 2, 0},	    /* overlong NUL */
	{"\xC1\xBF", 2, 0},	    /* overlong */
	{"\xC2\x80", 2, 2},	    /* U+0080 */
	{"\xDF\xBF", 2, 2},	    /* U+07FF */
	{"\xC2", 1, 0},		    /* cut off */
	{"\xE0\x9F\xBF", 3, 0},	    /* overlong */
	{"\xE0\xA0\x80", 3, 3},	    /* U+0800 */
	{"\xED\x9F\xBF", 3, 3},	    /* U+D7FF */
	{"\xED\xA0\x80", 3, 0},	    /* U+D800, a surrogate */
	{"\xED\xBF\xBF", 3, 0},	    /* U+DFFF */
	{"\xEE\x80\x80", 3, 3},	    /* U+E000 */
	{"\xEF\xBF\xBF", 3, 3},	    /* U+FFFF */
	{"\xE2\x82", 2, 0},	    /* cut off */
	{"\xF0\x8F\xBF\xBF", 4, 0}, /* overlong */
	{"\xF0\x90\x80\x80", 4, 4}, /* U+10000 */
	{"\xF4\x8F\xBF\xBF", 4, 4}, /* U+10FFFF */
	{"\xF4\x90\x80\x80", 4, 0}, /* U+110000 */
	{"\xF5\x80\x80\x80", 4, 0},
	{"\xFF", 1, 0},
	{"\xF0\x9F\x98", 3, 0}, /* cut off */
};

ParameterizedTestParameters(utf8, borders)
{
	return cr_make_param_array(struct sample, samples,
				   sizeof(samples) / sizeof(samples[0]));
}

ParameterizedTest(struct sample *sample, utf8, borders)
{
	cr_assert(eq(sz, utf8_sequence(sample->bytes, sample->length), sample->sequence));
	cr_assert(eq(int, utf8_is_valid(sample->bytes, sample->length), sample->sequence != 0));
}

Test(utf8, empty_is_valid_and_one_bad_byte_is_not)
{
	cr_assert(eq(int, utf8_is_valid("", 0), 1));
	cr_assert(eq(int, utf8_is_valid("good\xFFgood", 9), 0));
	cr_assert(eq(int, utf8_is_valid("a\0b", 3), 1));
}

Test(utf8, what_turns_text_is_known)
{
	static const char *const turning[] = {"\xE2\x80\xAA", "\xE2\x80\xAE", "\xE2\x81\xA6",
					      "\xE2\x81\xA9"};
	static const char *const others[] = {"a",
					     "\xE2\x80\xA9",
					     "\xE2\x80\xAF",
					     "\xE2\x81\xA5",
					     "\xE2\x81\xAA",
					     "\xE2\x82\xAA",
					     "\xE3\x80\xAA"};

	for (size_t i = 0; i < sizeof(turning) / sizeof(turning[0]); i++) {
		cr_expect(utf8_turns_text(turning[i], 3), "%zu", i);
		cr_expect_not(utf8_turns_text(turning[i], 2), "%zu", i);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		cr_expect_not(utf8_turns_text(others[i], strlen(others[i])), "%zu", i);
}

Test(utf8, white_space_of_texts_is_no_control)
{
	size_t controls = 0;

	for (unsigned c = 0; c < 256; c++)
		controls += utf8_is_control((unsigned char)c);
	cr_expect_eq(controls, 33 - 4);
	cr_expect(utf8_is_control(0x7F) && utf8_is_control(0) && utf8_is_control(0x1B));
	cr_expect_not(utf8_is_control('\n') || utf8_is_control(' ') || utf8_is_control(0x80));
}
