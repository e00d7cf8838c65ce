#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/zygote/job.h"
#include "schema/limits.h"

TestSuite(job, .timeout = 10);

static bool is_safe(const char *path)
{
	return job_path_is_safe(path, strlen(path));
}

Test(job, plain_relative_paths_are_safe)
{
	cr_assert(is_safe("a"));
	cr_assert(is_safe("a/b/c.txt"));
	cr_assert(is_safe("..a/b.."));
	cr_assert(is_safe(".hidden"));
}

Test(job, paths_that_leave_or_confuse_are_not)
{
	static const char *const bad[] = {"",	    "/",   "/a",   "a/",  ".",	  "..",
					  "a/../b", "./a", "a//b", "a/.", "a/..", "../a"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_not(is_safe(bad[i]), "%s", bad[i]);
	cr_assert_not(job_path_is_safe("a\0b", 3));
}

Test(job, paths_of_any_length_are_judged)
{
	char path[LIMIT_PATH_BYTES + 2];

	memset(path, 'a', sizeof(path));
	for (size_t i = 100; i < sizeof(path); i += 100)
		path[i] = '/';

	cr_assert(job_path_is_safe(path, LIMIT_PATH_BYTES));
	cr_assert_not(job_path_is_safe(path, LIMIT_PATH_BYTES + 1));
	memset(path, 'a', sizeof(path));
	cr_assert_not(job_path_is_safe(path, 256), "a name longer than any file system's");
}

static char folder[] = "/tmp/casemate-job-XXXXXX";
static int folder_fd = -1;

static void make_folder(void)
{
	cr_assert_not_null(mkdtemp(folder));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(ge(int, folder_fd, 0));
}

static void remove_folder(void)
{
	(void)unlinkat(folder_fd, "a/b/c", 0);
	(void)unlinkat(folder_fd, "a/b", AT_REMOVEDIR);
	(void)unlinkat(folder_fd, "a", AT_REMOVEDIR);
	(void)unlinkat(folder_fd, "a", 0);
	(void)unlinkat(folder_fd, "f", 0);
	(void)close(folder_fd);
	(void)rmdir(folder);
}

Test(job, writes_a_file_and_its_folders, .init = make_folder, .fini = remove_folder)
{
	struct stat info;
	struct err err = {0};

	cr_assert(eq(int, job_file_write(folder_fd, "a/b/c", 5, "hello", 5, &err), 0));

	cr_assert(eq(int, fstatat(folder_fd, "a/b/c", &info, 0), 0));
	cr_assert(eq(long, (long)info.st_size, 5));
}

Test(job, the_same_file_twice_is_refused, .init = make_folder, .fini = remove_folder)
{
	struct err err = {0};

	cr_assert(eq(int, job_file_write(folder_fd, "f", 1, "1", 1, &err), 0));
	cr_assert(eq(int, job_file_write(folder_fd, "f", 1, "2", 1, &err), -EEXIST));
}

Test(job, a_link_is_not_followed, .init = make_folder, .fini = remove_folder)
{
	struct err err = {0};

	cr_assert(eq(int, symlinkat("/tmp", folder_fd, "a"), 0));

	cr_assert(lt(int, job_file_write(folder_fd, "a/x", 3, "1", 1, &err), 0));
	cr_assert(lt(int, job_file_write(folder_fd, "a", 1, "1", 1, &err), 0));
}
