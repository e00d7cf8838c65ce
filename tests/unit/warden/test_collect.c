#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "sandbox/warden/collect.h"
#include "schema/bundle.h"
#include "schema/limits.h"

static char folder[64];
static int folder_fd;

static void set_up(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/casemate-collect-XXXXXX");
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY);
	cr_assert(ge(int, folder_fd, 0));
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	(void)info;
	(void)kind;
	(void)at;
	return remove(path);
}

static void tear_down(void)
{
	(void)close(folder_fd);
	cr_assert(eq(int, nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0));
}

TestSuite(collect, .timeout = 20, .init = set_up, .fini = tear_down);

static void put(const char *name, const char *data)
{
	own_fd fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(long, write(fd, data, strlen(data)), (long)strlen(data)));
}

/* The outcome as "path:size:content;" per file. */
static void collect(struct span payload, uint64_t budget, char *ret, size_t size,
		    bool *truncated)
{
	struct bundle_reader reader;
	struct bundle_entry entry;
	own_buf outcome;
	size_t used = 0;

	ret[0] = '\0';
	buf_init(&outcome, 1 << 20);
	cr_assert(eq(int, collect_files(folder_fd, &payload, budget, &outcome, truncated, NULL),
		     0));
	bundle_reader_init(&reader,
			   &(struct span){.data = outcome.data != NULL ? outcome.data : "",
					  .length = outcome.length});
	while (bundle_next(&reader, &entry, NULL) > 0 && used < size)
		used += (size_t)snprintf(ret + used, size - used, "%.*s:%u:%.*s;",
					 (int)entry.name_length, entry.name,
					 (unsigned char)entry.data[0],
					 (int)(entry.length - BUNDLE_FILE_HEADER_BYTES),
					 entry.data + BUNDLE_FILE_HEADER_BYTES);
}

static const struct span nothing = {.data = ""};

Test(collect, an_empty_workspace_adds_nothing)
{
	bool truncated = true;
	char got[256];

	collect(nothing, 100, got, sizeof(got), &truncated);

	cr_assert(eq(str, got, ""));
	cr_assert(not(truncated));
}

Test(collect, files_come_in_the_order_of_their_paths)
{
	bool truncated = true;
	char got[256];

	put("b", "bee");
	put("a", "");
	cr_assert(eq(int, mkdirat(folder_fd, "c", 0700), 0));
	put("c/d", "deep");

	collect(nothing, 100, got, sizeof(got), &truncated);

	cr_assert(eq(str, got, "a:0:;b:3:bee;c/d:4:deep;"));
	cr_assert(not(truncated));
}

Test(collect, links_and_pipes_are_left_out)
{
	bool truncated = true;
	char got[256];

	cr_assert(eq(int, symlinkat("/etc/passwd", folder_fd, "file-link"), 0));
	cr_assert(eq(int, symlinkat("/etc", folder_fd, "folder-link"), 0));
	cr_assert(eq(int, mkfifoat(folder_fd, "pipe", 0600), 0));
	put("file", "x");

	collect(nothing, 100, got, sizeof(got), &truncated);

	cr_assert(eq(str, got, "file:1:x;"));
}

/* What a job does that goes on after its end, if ever one could. */
static pid_t start_swapping(const char *one, const char *other)
{
	pid_t pid = fork();

	cr_assert(ge(int, pid, 0));
	while (pid == 0)
		if (renameat2(folder_fd, one, folder_fd, other, RENAME_EXCHANGE) != 0)
			_exit(1);
	return pid;
}

/* Whether a walk meets the link is a matter of the moment: without RESOLVE_NO_SYMLINKS and
 * RESOLVE_BENEATH one in a hundred does. */
#define WALKS 2000

Test(collect, a_folder_that_turns_into_a_link_leads_nowhere)
{
	char outside[] = "/tmp/casemate-outside-XXXXXX";
	bool truncated;
	char got[1024];
	pid_t swapping;

	cr_assert(ne(ptr, mkdtemp(outside), NULL));
	cr_assert(eq(int, mkdirat(folder_fd, "folder", 0700), 0));
	cr_assert(eq(int, symlinkat(outside, folder_fd, "link"), 0));
	for (char name[] = "folder/a"; name[7] <= 'p'; name[7]++)
		put(name, "own");
	for (char name[] = "link/a"; name[5] <= 'p'; name[5]++)
		put(name, "secret");

	swapping = start_swapping("folder", "link");
	for (unsigned i = 0; i < WALKS; i++) {
		collect(nothing, 1000, got, sizeof(got), &truncated);
		cr_expect(eq(ptr, strstr(got, "secret"), NULL), "%s", got);
	}

	cr_assert(eq(int, waitpid(swapping, NULL, WNOHANG), 0), "nothing was swapped");
	cr_assert(eq(int, kill(swapping, SIGKILL), 0));
	cr_assert(eq(int, waitpid(swapping, NULL, 0), swapping));
	cr_assert(eq(int, nftw(outside, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0));
}

Test(collect, content_beyond_the_budget_leaves_the_size)
{
	bool truncated = true;
	char got[256];

	put("a", "12345");
	put("b", "123456");
	put("c", "1");

	collect(nothing, 6, got, sizeof(got), &truncated);

	cr_assert(eq(str, got, "a:5:12345;b:6:;c:1:1;"));
	cr_assert(not(truncated));
}

Test(collect, unchanged_input_is_left_out_and_changed_input_is_not)
{
	bool truncated = true;
	own_buf input;
	char got[256];

	buf_init(&input, 4096);
	bundle_add(&input, BUNDLE_CODE, NULL, 0, "", 0);
	bundle_add(&input, BUNDLE_FILE, "same", 4, "old", 3);
	bundle_add(&input, BUNDLE_FILE, "grown", 5, "old", 3);
	bundle_add(&input, BUNDLE_FILE, "other", 5, "old", 3);
	put("same", "old");
	put("grown", "older");
	put("other", "new");

	collect((struct span){.data = input.data, .length = input.length}, 100, got,
		sizeof(got), &truncated);

	cr_assert(eq(str, got, "grown:5:older;other:3:new;"));
}

Test(collect, names_that_are_no_text_are_flagged)
{
	bool truncated = false;
	char got[256];

	put("\xff", "x");
	put("ok", "y");

	collect(nothing, 100, got, sizeof(got), &truncated);

	cr_assert(eq(str, got, "ok:1:y;"));
	cr_assert(truncated);
}

Test(collect, a_deep_tree_ends_at_the_longest_path)
{
	bool truncated = false;
	char path[LIMIT_PATH_BYTES * 2] = "d";
	size_t length = 1;
	char got[256];

	for (int i = 0; i < 300; i++) {
		cr_assert(eq(int, mkdirat(folder_fd, path, 0700), 0));
		length += (size_t)snprintf(path + length, sizeof(path) - length, "/ddd");
	}

	collect(nothing, 100, got, sizeof(got), &truncated);

	cr_assert(truncated);
}

Test(collect, what_lies_deeper_than_sixty_four_folders_is_flagged)
{
	bool truncated = false;
	char path[256] = "d";
	size_t length = 1;
	char got[512];
	char wanted[512];

	for (int i = 1; i < 64; i++) {
		cr_assert(eq(int, mkdirat(folder_fd, path, 0700), 0));
		length += (size_t)snprintf(path + length, sizeof(path) - length, "/d");
	}
	cr_assert(eq(int, mkdirat(folder_fd, path, 0700), 0));
	(void)snprintf(path + length, sizeof(path) - length, "/f");
	put(path, "x");
	(void)snprintf(wanted, sizeof(wanted), "%s:1:x;", path);
	collect(nothing, 100, got, sizeof(got), &truncated);
	cr_assert(eq(str, got, wanted));
	cr_assert(not(truncated));

	(void)snprintf(path + length, sizeof(path) - length, "/e");
	cr_assert(eq(int, mkdirat(folder_fd, path, 0700), 0));
	collect(nothing, 100, got, sizeof(got), &truncated);

	cr_assert(eq(str, got, wanted));
	cr_assert(truncated);
}

Test(collect, more_files_than_the_limit_are_flagged)
{
	static char got[64 * 1024];
	bool truncated = false;
	char name[16];

	for (int i = 0; i <= LIMIT_FILES; i++) {
		(void)snprintf(name, sizeof(name), "%04d", i);
		put(name, "x");
	}

	collect(nothing, 4096, got, sizeof(got), &truncated);

	cr_assert(truncated);
	cr_assert(ne(ptr, strstr(got, "0255:"), NULL));
	cr_assert(eq(ptr, strstr(got, "0256:"), NULL));
}
