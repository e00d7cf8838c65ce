#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <limits.h>
#include <string.h>

#include "base/self.h"

TestSuite(self, .timeout = 10);

Test(self, the_folder_is_absolute_and_paths_start_there)
{
	char folder[PATH_MAX];
	char path[PATH_MAX];

	cr_assert(eq(int, self_folder(folder, sizeof(folder), NULL), 0));
	cr_assert(eq(int, self_path("x/y", path, sizeof(path), NULL), 0));

	cr_assert(eq(chr, folder[0], '/'));
	cr_assert(eq(int, strncmp(path, folder, strlen(folder)), 0));
	cr_assert(eq(str, path + strlen(folder), "/x/y"));
}

Test(self, a_path_that_does_not_fit_is_an_error)
{
	char path[4] = "???";

	cr_assert(lt(int, self_folder(path, sizeof(path), NULL), 0));
	cr_assert(lt(int, self_path("x", path, sizeof(path), NULL), 0));
	cr_assert(eq(str, path, "???"));
}
