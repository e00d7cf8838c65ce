#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "base/own.h"
#include "server/gate/media.h"

TestSuite(media, .timeout = 10);

static struct text text_of(const char *word)
{
	return (struct text){word, strlen(word)};
}

static bool allows(const char *one, const char *two)
{
	struct media_accept accept = {0};

	media_accept_add(&accept, text_of(one));
	if (two != NULL)
		media_accept_add(&accept, text_of(two));
	return media_accept_allows_json(&accept);
}

Test(media, accept_without_a_meaning_allows_all)
{
	cr_assert(allows("", NULL));
	cr_assert(allows("garbage, ;q=1, /", NULL));
	cr_assert(allows("text/html;q=2", NULL)); /* no weight, so no range */
}

Test(media, the_most_specific_range_decides)
{
	cr_assert(allows("*/*", NULL));
	cr_assert(allows("text/html, application/*;q=0.001", NULL));
	cr_assert(allows("application/JSON", NULL));
	cr_assert(allows("*/*;q=0, application/json", NULL));
	cr_assert(allows("application/json;profile=\"a,b;c\";q=0.5", NULL));
	cr_assert(allows("application/problem+json", NULL));
	cr_assert(not(allows("application/json;q=0, */*", NULL)));
	cr_assert(not(allows("application/*;q=0.000, */*", NULL)));
	cr_assert(not(allows("text/html", NULL)));
	cr_assert(not(allows("text/*, image/png", NULL)));
	cr_assert(not(allows("application/jsonp", NULL)));
}

Test(media, several_lines_are_one_list)
{
	cr_assert(allows("text/html", "application/json"));
	cr_assert(not(allows("text/html", "image/png")));
}

Test(media, json_is_utf8_or_unnamed)
{
	static const char *const good[] = {
		"application/json",
		"Application/JSON",
		"application/json; charset=utf-8",
		"application/json;charset=\"UTF-8\"",
		"application/json; profile=x",
		"application/json;",
	};
	static const char *const bad[] = {
		"",
		"text/json",
		"application/jsonx",
		"application/json; charset=latin-1",
		"application/json; charset",
		"application/json, text/plain",
		"application / json",
	};

	for (size_t i = 0; i < ARRAY_COUNT(good); i++)
		cr_assert(media_is_json(text_of(good[i])), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++)
		cr_assert(not(media_is_json(text_of(bad[i]))), "%s", bad[i]);
}
