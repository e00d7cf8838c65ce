#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/supervisor/state.h"

static char folder[] = "/tmp/casemate-unit-XXXXXX";
static int folder_fd = -1;

static void make_folder(void)
{
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void remove_folder(void)
{
	static const char *const names[] = {"casemate.lock", "audit.db", "audit.db-wal",
					    "listening", "target"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		(void)unlinkat(folder_fd, names[i], 0);
	(void)rmdir(folder);
}

TestSuite(state, .timeout = 10, .init = make_folder, .fini = remove_folder);

static void make_file(const char *name)
{
	own_fd fd = openat(folder_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	cr_assert(ge(int, fd, 0));
}

Test(state, the_lock_is_for_one)
{
	own_fd first = -1;
	own_fd second = -1;
	struct err err = {0};

	cr_assert(eq(int, state_lock(folder_fd, &first, NULL), 0));
	cr_assert(eq(int, state_lock(folder_fd, &second, &err), -EWOULDBLOCK));
	cr_assert(ne(ptr, strstr(err.text, "another casemate"), NULL));

	fd_drop(&first);
	cr_assert(eq(int, state_lock(folder_fd, &second, NULL), 0));
}

Test(state, a_line_is_written_whole_and_readable_by_all)
{
	struct stat info;
	char text[32] = "";
	own_fd fd = -1;

	(void)umask(077);
	cr_assert(eq(int, state_write(folder_fd, "listening", "old\n", NULL), 0));
	cr_assert(
		eq(int, state_write(folder_fd, "listening", "https://localhost:1\n", NULL), 0));
	fd = openat(folder_fd, "listening", O_RDONLY | O_CLOEXEC);

	cr_assert(eq(int, (int)read(fd, text, sizeof(text) - 1), 20));
	cr_assert(eq(str, text, "https://localhost:1\n"));
	cr_assert(eq(int, fstat(fd, &info), 0));
	cr_assert(eq(int, (int)(info.st_mode & 0777), 0644));
	state_remove(folder_fd, "listening");
	state_remove(folder_fd, "listening");
	cr_assert(lt(int, faccessat(folder_fd, "listening", F_OK, 0), 0));
}

Test(state, a_planted_database_is_refused)
{
	struct err err = {0};

	cr_assert(eq(int, state_check(folder_fd, "audit.db", 4242, NULL), 0));
	make_file("target");
	cr_assert(eq(int, symlinkat("target", folder_fd, "audit.db"), 0));
	cr_assert(lt(int, state_check(folder_fd, "audit.db", 4242, &err), 0));
	(void)unlinkat(folder_fd, "audit.db", 0);

	cr_assert(eq(int, linkat(folder_fd, "target", folder_fd, "audit.db-wal", 0), 0));
	cr_assert(lt(int, state_check(folder_fd, "audit.db", 4242, &err), 0));
}

Test(state, the_ledger_gets_its_files_and_may_add_to_the_folder)
{
	struct stat info;

	if (geteuid() != 0)
		return; /* only root gives anything away */
	make_file("audit.db");
	make_file("target");
	cr_assert(eq(int, state_give(folder_fd, "audit.db", 64125, NULL), 0));

	cr_assert(eq(int, fstatat(folder_fd, "audit.db", &info, 0), 0));
	cr_assert(eq(uint, info.st_uid, 64125));
	cr_assert(eq(int, fstatat(folder_fd, "target", &info, 0), 0));
	cr_assert(eq(uint, info.st_uid, 0));
	cr_assert(eq(int, fstat(folder_fd, &info), 0));
	cr_assert(eq(uint, info.st_gid, 64125));
	cr_assert(eq(uint, info.st_uid, 0));
	/* Sticky: it may add, and neither remove nor replace what others have there. */
	cr_assert(eq(int, (int)(info.st_mode & 07777), 01770));
	cr_assert(eq(int, state_check(folder_fd, "audit.db", 64125, NULL), 0));
}
