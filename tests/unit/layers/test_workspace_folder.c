#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/layers/workspace_folder.h"

TestSuite(workspace_folder, .timeout = 20);

static struct workspaces workspaces;
static char base[] = "/tmp/casemate-folder-XXXXXX";
static int base_fd;

static void make_base(void)
{
	struct err err = {0};

	cr_assert(ne(ptr, mkdtemp(base), NULL));
	base_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(eq(int, workspaces_make(base_fd, "unit", 0, &workspaces, &err), 0), "%s",
		  err.text);
}

static void remove_base(void)
{
	workspaces_remove(&workspaces);
	/* Only an empty folder goes: so nothing was left. */
	cr_assert(eq(int, rmdir(base), 0));
	(void)close(base_fd);
}

static void make_one(int *ret_files)
{
	struct err err = {0};
	own_fd folder = -1;

	cr_assert(eq(int, workspace_folder_make(&workspaces, "w0", 0, &folder, ret_files, &err),
		     0),
		  "%s", err.text);
}

static void write_file(int folder, const char *name, size_t bytes)
{
	static char block[65536];
	own_fd fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	memset(block, 'x', sizeof(block));
	while (bytes > 0) {
		size_t part = bytes < sizeof(block) ? bytes : sizeof(block);

		cr_assert(eq(sz, (size_t)write(fd, block, part), part));
		bytes -= part;
	}
}

Test(workspace_folder, counts_bytes_and_files, .init = make_base, .fini = remove_base)
{
	own_fd files = -1;

	make_one(&files);
	cr_expect(not(workspace_folder_is_over(&workspaces, "w0", 65536, 16)));
	for (int i = 0; i < 16; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "f%d", i);
		write_file(files, name, 8192);
	}
	cr_expect(not(workspace_folder_is_over(&workspaces, "w0", 1u << 20, 16)));
	cr_expect(workspace_folder_is_over(&workspaces, "w0", 65536, 16), "bytes");
	write_file(files, "one more", 1);
	cr_expect(workspace_folder_is_over(&workspaces, "w0", 1u << 20, 16), "files");
}

Test(workspace_folder, a_link_out_is_neither_followed_nor_kept, .init = make_base,
     .fini = remove_base)
{
	own_fd files = -1;
	struct err err = {0};

	make_one(&files);
	cr_assert(eq(int, symlinkat("/usr", files, "usr"), 0));
	cr_expect(not(workspace_folder_is_over(&workspaces, "w0", 65536, 16)));
	cr_expect(eq(int, workspace_folder_remove(&workspaces, "w0", &err), 0), "%s", err.text);
	cr_expect(eq(int, access("/usr/bin", F_OK), 0));
}

Test(workspace_folder, what_cannot_be_counted_is_too_much_and_goes_all_the_same,
     .init = make_base, .fini = remove_base)
{
	own_fd files = -1;
	own_fd at = -1;
	struct err err = {0};

	make_one(&files);
	at = openat(files, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 2000; i++) {
		int next;

		cr_assert(eq(int, mkdirat(at, "d", 0700), 0));
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cr_assert(ge(int, next, 0));
		fd_drop(&at);
		at = next;
	}
	cr_expect(workspace_folder_is_over(&workspaces, "w0", 1u << 30, 10000));
	cr_expect(eq(int, fchmod(at, 0), 0));
	cr_expect(eq(int, workspace_folder_remove(&workspaces, "w0", &err), 0), "%s", err.text);
	cr_expect(eq(int, workspace_folder_remove(&workspaces, "w0", &err), 0), "%s", err.text);
}
