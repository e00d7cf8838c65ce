#include "server/ledger/migrate.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"

#define OWN_FOLDER "../../share/casemate/migrations"

void migrations_done(struct migrations *migrations)
{
	for (size_t i = 0; i < migrations->count; i++)
		free(migrations->list[i].text);
	free(migrations->list);
	*migrations = (struct migrations){0};
}

static int file_read(int folder_fd, const char *name, struct migration *ret, struct err *err)
{
	own_fd fd = openat(folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	own_mem char *text = NULL;
	struct stat info;
	ssize_t length;

	if (fd < 0 || fstat(fd, &info) != 0)
		return err_errno(err, errno, "migration %s", name);
	if (!S_ISREG(info.st_mode) || info.st_size > (off_t)MIGRATION_FILE_BYTES)
		return err_set(err, EFBIG, "migration %s is not a plain file of a sane size",
			       name);
	text = malloc((size_t)info.st_size + 1);
	if (text == NULL)
		return err_errno(err, ENOMEM, "migration %s", name);
	length = read(fd, text, (size_t)info.st_size);
	if (length != info.st_size)
		return err_errno(err, length < 0 ? errno : EIO, "migration %s", name);
	text[length] = '\0';
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	digest_bytes(text, (size_t)length, ret->sha256);
	ret->length = (size_t)length;
	ret->text = mem_take(&text);
	return 0;
}

/* The number of NNNN_what.sql; 0 for any other file, which is left alone. */
static size_t name_number(const char *name)
{
	size_t length = strlen(name);
	size_t number = 0;

	if (length < 10 || length > MIGRATION_NAME_BYTES || name[4] != '_' ||
	    strcmp(name + length - 4, ".sql") != 0)
		return 0;
	for (int i = 0; i < 4; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		number = number * 10 + (size_t)(name[i] - '0');
	}
	return number;
}

static int migrations_put(struct migrations *migrations, int folder_fd, const char *name,
			  struct err *err)
{
	size_t number = name_number(name);

	if (number == 0)
		return 0;
	if (number > migrations->count) {
		struct migration *grown =
			realloc(migrations->list, number * sizeof(*migrations->list));

		if (grown == NULL)
			return err_errno(err, ENOMEM, "migration %s", name);
		memset(grown + migrations->count, 0,
		       (number - migrations->count) * sizeof(*grown));
		migrations->list = grown;
		migrations->count = number;
	}
	if (migrations->list[number - 1].text != NULL)
		return err_set(err, EINVAL, "migrations %s and %s have the same number",
			       migrations->list[number - 1].name, name);
	return file_read(folder_fd, name, &migrations->list[number - 1], err);
}

static void dir_done(DIR **dir)
{
	if (*dir != NULL)
		(void)closedir(*dir);
}

int migrations_read(int folder_fd, struct migrations *ret, struct err *err)
{
	own_migrations migrations = {0};
	__attribute__((cleanup(dir_done))) DIR *dir = NULL;
	int copy = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	int status = 0;

	if (copy >= 0)
		dir = fdopendir(copy);
	if (dir == NULL)
		return err_errno(err, errno, "open the folder of migrations");
	while (status == 0 && (entry = readdir(dir)) != NULL)
		status = migrations_put(&migrations, folder_fd, entry->d_name, err);
	for (size_t i = 0; status == 0 && i < migrations.count; i++)
		if (migrations.list[i].text == NULL)
			status = err_set(err, ENOENT,
					 "migration %04zu is missing: install the "
					 "release as a whole",
					 i + 1);
	if (status == 0 && migrations.count == 0)
		status = err_set(err, ENOENT,
				 "the folder of migrations is empty: install the "
				 "release as a whole");
	if (status < 0)
		return status;
	*ret = migrations;
	migrations = (struct migrations){0};
	return 0;
}

int migrations_read_own(struct migrations *ret, struct err *err)
{
	char path[4096 + sizeof(OWN_FOLDER) + 1];
	ssize_t length = readlink("/proc/self/exe", path, 4096);
	own_fd folder = -1;
	char *slash;

	if (length <= 0 || length == 4096)
		return err_errno(err, length < 0 ? errno : ENAMETOOLONG,
				 "find the program's own "
				 "file by /proc/self/exe");
	path[length] = '\0';
	slash = strrchr(path, '/');
	memcpy(slash + 1, OWN_FOLDER, sizeof(OWN_FOLDER));
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return err_errno(err, errno, "open %s", path);
	return migrations_read(folder, ret, err);
}

/* One row of what was applied against the file of the same number. */
static int applied_check(const struct migrations *migrations, sqlite3_stmt *row,
			 size_t expected, struct err *err)
{
	sqlite3_int64 version = sqlite3_column_int64(row, 0);
	const char *name = (const char *)sqlite3_column_text(row, 1);
	const struct migration *file;

	if (name == NULL || version != (sqlite3_int64)expected)
		return err_set(err, EUCLEAN,
			       "database: migration %zu was never applied, but later "
			       "ones were: restore the database from a backup",
			       expected);
	if (expected > migrations->count)
		return err_set(err, EPROTO,
			       "database: it has migration %s, which this release does "
			       "not know: start the newer release that made it",
			       name);
	file = &migrations->list[expected - 1];
	if (strcmp(file->name, name) != 0 || sqlite3_column_bytes(row, 2) != DIGEST_BYTES ||
	    memcmp(sqlite3_column_blob(row, 2), file->sha256, DIGEST_BYTES) != 0)
		return err_set(err, EUCLEAN,
			       "database: migration %s is not the one that was "
			       "applied (%s): install the release unchanged",
			       file->name, name);
	return 0;
}

static int applied_count(const struct migrations *migrations, struct database *db, size_t *ret,
			 struct err *err)
{
	sqlite3_stmt *statement = NULL;
	size_t count = 0;
	int status = database_prepare(db, SQL_MIGRATIONS, &statement, err);

	if (status < 0)
		return status;
	while ((status = database_step(db, statement, err)) == 1) {
		status = applied_check(migrations, statement, ++count, err);
		if (status < 0) {
			(void)sqlite3_reset(statement);
			return status;
		}
	}
	*ret = count;
	return status;
}

static int applied_add(const struct migration *migration, size_t version, struct database *db,
		       struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, SQL_MIGRATION_ADD, &statement, err);

	if (status < 0)
		return status;
	(void)sqlite3_bind_int64(statement, 1, (sqlite3_int64)version);
	(void)sqlite3_bind_text(statement, 2, migration->name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_blob(statement, 3, migration->sha256, DIGEST_BYTES, SQLITE_STATIC);
	(void)sqlite3_bind_int64(statement, 4, (sqlite3_int64)clock_wall_ms());
	return database_step(db, statement, err);
}

static int migration_apply(const struct migration *migration, size_t version,
			   struct database *db, struct err *err)
{
	int status = database_begin(db, true, err);

	if (status < 0)
		return status;
	if (sqlite3_exec(db->handle, migration->text, NULL, NULL, NULL) != SQLITE_OK)
		status = database_fail(db, migration->name, err);
	if (status == 0)
		status = applied_add(migration, version, db, err);
	if (status == 0)
		return database_commit(db, err);
	database_rollback(db);
	return status;
}

int migrations_apply(const struct migrations *migrations, struct database *db,
		     void (*said)(const char *name), struct err *err)
{
	size_t done = 0;
	int status = database_run(db, SQL_MIGRATION_TABLE, err);

	if (status == 0)
		status = applied_count(migrations, db, &done, err);
	for (size_t i = done; status == 0 && i < migrations->count; i++) {
		status = migration_apply(&migrations->list[i], i + 1, db, err);
		if (status == 0 && said != NULL)
			said(migrations->list[i].name);
	}
	return status;
}
