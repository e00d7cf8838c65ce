/* Migrations: up from every version, and every way in which the files may not be what they
 * were. */
#include "server/ledger/migrate.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

TestSuite(migrate, .timeout = 30);

static char folder[64];
static char path[96];

static void make_folder(void)
{
	struct err err = {0};

	cr_assert(eq(int, digest_init(&err), 0));
	(void)snprintf(folder, sizeof(folder), "/tmp/casemate-unit-XXXXXX");
	cr_assert(mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof(path), "%s/audit.db", folder);
}

static void remove_folder(void)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	cr_assert(dir != NULL);
	while ((entry = readdir(dir)) != NULL)
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	(void)closedir(dir);
	(void)rmdir(folder);
}

static void read_files(struct migrations *ret)
{
	struct err err = {0};
	own_fd fd = open("migrations", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	cr_assert(eq(int, migrations_read(fd, ret, &err), 0), "%s", err.text);
}

/* Applies the first `count` migrations to the database of this test. */
static int apply(struct migrations *migrations, size_t count, struct err *err)
{
	const struct migrations some = {.list = migrations->list, .count = count};
	own_database db = {0};
	int status = database_open(&db, path, err);

	return status < 0 ? status : migrations_apply(&some, &db, NULL, err);
}

Test(migrate, comes_up_from_every_version, .init = make_folder, .fini = remove_folder)
{
	own_migrations migrations = {0};
	struct err err = {0};

	read_files(&migrations);
	for (size_t from = 0; from <= migrations.count; from++) {
		own_database db = {0};

		(void)unlink(path);
		cr_assert(eq(int, apply(&migrations, from, &err), 0), "%s", err.text);
		cr_assert(eq(int, apply(&migrations, migrations.count, &err), 0), "%s",
			  err.text);
		cr_assert(eq(int, apply(&migrations, migrations.count, &err), 0), "%s",
			  err.text);
		cr_assert(eq(int, database_open(&db, path, &err), 0));
		cr_assert(eq(int, database_load(&db, &err), 0), "%s", err.text);
	}
}

Test(migrate, refuses_a_file_that_changed, .init = make_folder, .fini = remove_folder)
{
	own_migrations migrations = {0};
	struct err err = {0};

	read_files(&migrations);
	cr_assert(eq(int, apply(&migrations, migrations.count, &err), 0));
	migrations.list[0].sha256[31] ^= 1;

	cr_assert(eq(int, apply(&migrations, migrations.count, &err), -EUCLEAN));
	cr_assert(strstr(err.text, migrations.list[0].name) != NULL);
}

Test(migrate, refuses_a_database_from_the_future, .init = make_folder, .fini = remove_folder)
{
	own_migrations migrations = {0};
	struct err err = {0};

	read_files(&migrations);
	cr_assert(eq(int, apply(&migrations, migrations.count, &err), 0));

	cr_assert(eq(int, apply(&migrations, migrations.count - 1, &err), -EPROTO));
	cr_assert(strstr(err.text, migrations.list[migrations.count - 1].name) != NULL);
}

Test(migrate, a_failed_one_leaves_nothing_behind, .init = make_folder, .fini = remove_folder)
{
	static char text[] = "CREATE TABLE half (a); CREATE TABLE half (a);";
	own_migrations migrations = {0};
	struct err err = {0};
	char *released;

	read_files(&migrations);
	cr_assert(eq(int, apply(&migrations, 1, &err), 0));
	released = migrations.list[1].text;
	migrations.list[1].text = text;
	cr_assert(lt(int, apply(&migrations, 2, &err), 0));
	cr_assert(strstr(err.text, migrations.list[1].name) != NULL);
	migrations.list[1].text = released;

	cr_assert(eq(int, apply(&migrations, migrations.count, &err), 0), "%s", err.text);
}

static void write_file(const char *name, const char *text)
{
	char file[160];
	FILE *out;

	(void)snprintf(file, sizeof(file), "%s/%s", folder, name);
	out = fopen(file, "we");
	cr_assert(out != NULL);
	(void)fputs(text, out);
	(void)fclose(out);
}

static int read_folder(struct err *err)
{
	own_migrations migrations = {0};
	own_fd fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return migrations_read(fd, &migrations, err);
}

Test(migrate, refuses_a_gap_and_a_double_number, .init = make_folder, .fini = remove_folder)
{
	struct err err = {0};

	cr_assert(eq(int, read_folder(&err), -ENOENT));
	write_file("0002_two.sql", "SELECT 2;");
	cr_assert(eq(int, read_folder(&err), -ENOENT));
	cr_assert(strstr(err.text, "0001") != NULL);
	write_file("0001_one.sql", "SELECT 1;");
	write_file("README.md", "not a migration");
	cr_assert(eq(int, read_folder(&err), 0), "%s", err.text);
	write_file("0001_other.sql", "SELECT 1;");
	cr_assert(eq(int, read_folder(&err), -EINVAL));
}
