/* The index of names against code_name_matches(), which says what a pattern means. */
#include <criterion/criterion.h>
#include <string.h>

#include "validator/code/name_index.h"
#include "validator/code/names.h"

TestSuite(name_index, .timeout = 30);

static const char *const patterns[] = {
	"a",	 "a.b",	  "a.b.c", "a.*", "a.b.*", "*.b",   "*.b.c", "?.b",	"?.b.c",
	"*.b.*", "?.*",	  "*.a",   "?",	  "*",	   "a.",    ".a",    "*.b.c.*", "a()",
	"a().b", "*.c.*", "?.a.*", "*.",  "",	   "a.b()", "..",    "*..*",
};

static const char *const names[] = {
	"a",   "a.b",	"a.b.c",   "b",	    "?.b",     "?.a.b",	 "?.b.c", "?",	 "a.",
	".a",  "a.b.",	"x.b.c.d", "x.b.y", "x.bb.y",  "a()",	 "a().b", "?.a", "?.a.x",
	"ab",  "ab.c",	"a.*",	   "*.b",   "*.b.*",   "a..b",	 "..",	  "",	 "local.a",
	"a.c", "x.c.b", "a.b().c", "?.x.b", "y.b.c.b", "a.b.c.", ".b.",	  "...",
};

Test(name_index, says_what_a_pattern_says)
{
	struct name_index *index = NULL;
	struct err err = {0};
	struct code code;
	size_t hits = 0;

	cr_assert(code_open(&code, CODE_PYTHON, "x", 1, UINT32_MAX, &err) == 0);
	/* The askers before fill more than one word. */
	for (size_t i = 0; i < ARRAY_COUNT(patterns) + 60; i++) {
		uint32_t asker;

		cr_assert(name_index_ask(&index, &asker, &err) == 0 && asker == i);
		if (i >= 60)
			cr_assert(name_index_add(index, asker, patterns[i - 60], &err) == 0);
	}
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		for (size_t k = 0; k < ARRAY_COUNT(patterns); k++) {
			bool wanted = code_name_matches(names[i], patterns[k]);
			uint32_t id = code_intern_text(&code, names[i]);

			hits += wanted;
			cr_expect(name_index_asks(index, &code, id, (uint32_t)k + 60) == wanted,
				  "'%s' by '%s'", names[i], patterns[k]);
		}
	cr_expect(hits > 60);
	cr_expect(name_index_add(index, 0, "*.*", &err) == -EINVAL);
	name_index_free(index);
	code_close(&code);
}

Test(name_index, askers_are_a_set)
{
	struct name_index *index = NULL;
	uint64_t *askers = NULL;
	uint32_t words = 0;
	struct err err = {0};
	struct code code;
	uint32_t id;

	cr_assert(code_open(&code, CODE_PYTHON, "x", 1, UINT32_MAX, &err) == 0);
	for (uint32_t i = 0; i < 200; i++) {
		uint32_t asker;

		cr_assert(name_index_ask(&index, &asker, &err) == 0);
	}
	cr_assert(name_index_add(index, 150, "os.system", &err) == 0);
	id = code_intern_text(&code, "os.system");
	cr_assert(name_askers_add(&askers, &words, 3, &err) == 0);
	cr_expect(!name_index_any(index, &code, id, askers, words));
	cr_assert(name_askers_add(&askers, &words, 150, &err) == 0);
	cr_expect(name_index_any(index, &code, id, askers, words));
	cr_expect(!name_index_any(index, &code, code_intern_text(&code, "os.systems"), askers,
				  words));
	free(askers);
	name_index_free(index);
	code_close(&code);
}
