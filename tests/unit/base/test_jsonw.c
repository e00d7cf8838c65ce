#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/jsonw.h"

TestSuite(jsonw, .timeout = 10);

Test(jsonw, places_commas_and_nests)
{
	own_buf buf;
	struct jsonw json;

	buf_init(&buf, 1000);
	jsonw_init(&json, &buf);
	jsonw_object_open(&json);
	jsonw_key_str(&json, "a", "b");
	jsonw_key_u64(&json, "n", UINT64_MAX);
	jsonw_key(&json, "list");
	jsonw_array_open(&json);
	jsonw_i64(&json, INT64_MIN);
	jsonw_bool(&json, true);
	jsonw_null(&json);
	jsonw_array_close(&json);
	jsonw_key(&json, "raw");
	jsonw_raw(&json, "{}", 2);
	jsonw_key_bool(&json, "last", false);
	jsonw_object_close(&json);

	cr_assert(eq(int, buf_check(&buf, NULL), 0));
	cr_assert(eq(
		str, buf.data,
		"{\"a\":\"b\",\"n\":18446744073709551615,\"list\":[-9223372036854775808,true,"
		"null],\"raw\":{},\"last\":false}"));
}

Test(jsonw, escapes_what_json_forbids)
{
	own_buf buf;
	struct jsonw json;

	buf_init(&buf, 1000);
	jsonw_init(&json, &buf);
	jsonw_bytes(&json, "\"\\\n\r\t\0\x1F\x7F", 8);

	cr_assert(eq(int, buf_check(&buf, NULL), 0));
	cr_assert(eq(int, strncmp(buf.data, "\"\\\"\\\\\\n\\r\\t\\u0000\\u001", 22), 0));
}

Test(jsonw, a_bad_byte_becomes_the_replacement_character)
{
	own_buf buf;
	struct jsonw json;

	buf_init(&buf, 1000);
	jsonw_init(&json, &buf);
	jsonw_bytes(&json,
		    "a\xFF"
		    "b\xED\xA0\x80\xC3\xA9",
		    8);

	cr_assert(eq(int, buf_check(&buf, NULL), 0));
	cr_assert(eq(int,
		     memcmp(buf.data,
			    "\"a\xEF\xBF\xBD"
			    "b",
			    6),
		     0));
	cr_assert(eq(int, memcmp(buf.data + buf.length - 3, "\xC3\xA9\"", 3), 0));
}

Test(jsonw, too_deep_fails_and_does_not_overrun)
{
	own_buf buf;
	struct jsonw json;

	buf_init(&buf, 1000);
	jsonw_init(&json, &buf);
	for (int i = 0; i < 10 * JSONW_DEPTH_MAX; i++)
		jsonw_array_open(&json);

	cr_assert(eq(int, buf_check(&buf, NULL), -E2BIG));
}
