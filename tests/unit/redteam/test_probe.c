#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "server/redteam/probe.h"

TestSuite(probe, .timeout = 10);

static struct probes probes;

Test(probe, every_probe_in_the_tree_is_understood)
{
	struct err err = {0};

	cr_assert(eq(int, probes_load("server/redteam/probes", &probes, &err), 0), "%s",
		  err.text);
	cr_assert(ge(sz, probes.count, 200));
	cr_assert(ne(ptr, strstr(probes.prelude, "def held("), NULL));
	for (size_t i = 0; i < probes.count; i++) {
		cr_expect(ne(chr, probes.list[i].tries[0], '\0'), "%s", probes.list[i].id);
		/* A witness of a layer must be stopped by it. */
		if (probes.list[i].alone[0] != '\0')
			cr_expect(probe_has_word(probes.list[i].layers, probes.list[i].alone),
				  "%s", probes.list[i].id);
	}
	probes_done(&probes);
}

Test(probe, a_folder_without_probes_is_an_error)
{
	struct err err = {0};

	cr_assert(lt(int, probes_load("/nonexistent", &probes, &err), 0));
	cr_assert(lt(int, probes_load("server/redteam", &probes, &err), 0));
}

Test(probe, words_are_whole)
{
	cr_assert(probe_has_word("a bc d", "bc"));
	cr_assert(probe_has_word("a bc d", "d"));
	cr_assert(not(probe_has_word("a bc d", "b")));
	cr_assert(not(probe_has_word("", "b")));
}
