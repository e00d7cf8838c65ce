#include "server/ledger/database.h"

#include <string.h>

#include "base/clock.h"

/* Milliseconds to wait for a lock that somebody else holds, e.g. an operator's sqlite3 that
 * closes: longer, and every caller would wait with us. */
#define BUSY_MS 250
/* Bytes the log keeps on disk once it was emptied; see CHECKPOINT_PAGES_MAX in round.c. */
#define WAL_BYTES_KEPT (16 * 1024 * 1024)

static const char *const texts[] = {
#define SQL(symbol, text) [SQL_##symbol] = (text),
#include "server/ledger/statements.def"
#undef SQL
};

/* Settings, each with its reason. */
static const char *const settings[] = {
	"PRAGMA temp_store = MEMORY",	 /* the process can make no file */
	"PRAGMA trusted_schema = OFF",	 /* functions in a tampered schema do not run */
	"PRAGMA cell_size_check = ON",	 /* notice a damaged page before using it */
	"PRAGMA foreign_keys = ON",	 /* what a migration declares holds */
	"PRAGMA secure_delete = FAST",	 /* answers that expired leave the pages they were in */
	"PRAGMA cache_size = -8000",	 /* KiB: the right edges of all trees stay in memory */
	"PRAGMA wal_autocheckpoint = 0", /* at moments we choose: see round.c */
	"PRAGMA synchronous = FULL",	 /* a commit is on the disk when it returns */
};

int database_fail(struct database *db, const char *what, struct err *err)
{
	int code = db->handle != NULL ? sqlite3_errcode(db->handle) : SQLITE_NOMEM;
	int extended = db->handle != NULL ? sqlite3_extended_errcode(db->handle) : code;
	int system = db->handle != NULL ? sqlite3_system_errno(db->handle) : 0;
	int number = code == SQLITE_FULL || system == ENOSPC
			     ? ENOSPC
			     : (code == SQLITE_READONLY ? EROFS : EIO);

	return err_set(err, number, "database: %s: %s (%d%s%s)", what,
		       db->handle != NULL ? sqlite3_errmsg(db->handle) : "out of memory",
		       extended, code == SQLITE_IOERR && system != 0 ? ", " : "",
		       code == SQLITE_IOERR && system != 0 ? strerror(system) : "");
}

static int database_set(struct database *db, const char *pragma, struct err *err)
{
	if (sqlite3_exec(db->handle, pragma, NULL, NULL, NULL) != SQLITE_OK)
		return database_fail(db, pragma, err);
	return 0;
}

static int wal_grew(void *owner, sqlite3 *handle, const char *name, int pages)
{
	struct database *db = owner;

	(void)handle;
	(void)name;
	db->wal_pages = pages;
	return SQLITE_OK;
}

static int journal_callback(void *owner, int columns, char **values, char **names)
{
	(void)names;
	*(bool *)owner = columns == 1 && values[0] != NULL && strcmp(values[0], "wal") == 0;
	return 0;
}

static int set_wal(struct database *db, struct err *err)
{
	bool is_wal = false;
	int keep = 1;

	/* A new file becomes a WAL one by a small transaction of the old kind, whose journal
	 * must not be a file: the process cannot make one. Nothing can be lost in an empty
	 * database. */
	if (sqlite3_exec(db->handle, "PRAGMA journal_mode", journal_callback, &is_wal, NULL) !=
	    SQLITE_OK)
		return database_fail(db, "read the journal mode", err);
	if (!is_wal && (sqlite3_exec(db->handle, "PRAGMA journal_mode = MEMORY", NULL, NULL,
				     NULL) != SQLITE_OK ||
			sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL", journal_callback,
				     &is_wal, NULL) != SQLITE_OK))
		return database_fail(db, "set the journal mode", err);
	if (!is_wal)
		return err_set(err, ENOTSUP,
			       "database: this file system has no WAL mode: use a "
			       "local one for the state directory");
	/* The log stays when the last connection closes: as root we could not make it again. */
	(void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	(void)sqlite3_wal_hook(db->handle, wal_grew, db);
	return 0;
}

int database_open(struct database *db, const char *path, struct err *err)
{
	return database_open_paged(db, path, 4096, err);
}

int database_open_paged(struct database *db, const char *path, unsigned page_bytes,
			struct err *err)
{
	char limit[64];
	int status = 0;

	*db = (struct database){.is_durable = true};
	if (sqlite3_open_v2(path, &db->handle,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
				    SQLITE_OPEN_EXRESCODE,
			    NULL) != SQLITE_OK)
		status = database_fail(db, path, err);
	if (status == 0)
		(void)sqlite3_busy_timeout(db->handle, BUSY_MS);
	(void)snprintf(limit, sizeof(limit), "PRAGMA page_size = %u", page_bytes);
	if (status == 0)
		status = database_set(db, limit, err);
	for (size_t i = 0; status == 0 && i < ARRAY_COUNT(settings); i++)
		status = database_set(db, settings[i], err);
	if (status == 0)
		status = set_wal(db, err);
	(void)snprintf(limit, sizeof(limit), "PRAGMA journal_size_limit = %d", WAL_BYTES_KEPT);
	if (status == 0)
		status = database_set(db, limit, err);
	if (status < 0)
		database_close(db);
	return status;
}

int database_open_readonly(struct database *db, const char *path, struct err *err)
{
	int status;

	*db = (struct database){0};
	if (sqlite3_open_v2(path, &db->handle,
			    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			    NULL) == SQLITE_OK) {
		(void)sqlite3_busy_timeout(db->handle, 5000);
		return 0;
	}
	status = database_fail(db, path, err);
	database_close(db);
	return status;
}

void database_close(struct database *db)
{
	for (size_t i = 0; i < SQL_COUNT; i++) {
		(void)sqlite3_finalize(db->statements[i]);
		db->statements[i] = NULL;
	}
	(void)sqlite3_close(db->handle);
	db->handle = NULL;
}

int database_prepare(struct database *db, enum sql sql, sqlite3_stmt **ret, struct err *err)
{
	if (db->statements[sql] == NULL &&
	    sqlite3_prepare_v3(db->handle, texts[sql], -1, SQLITE_PREPARE_PERSISTENT,
			       &db->statements[sql], NULL) != SQLITE_OK)
		return database_fail(db, texts[sql], err);
	*ret = db->statements[sql];
	return 0;
}

int database_step(struct database *db, sqlite3_stmt *statement, struct err *err)
{
	int code = sqlite3_step(statement);
	int status = 0;

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		status = database_fail(db, "write", err);
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return status;
}

int database_run(struct database *db, enum sql sql, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, sql, &statement, err);

	return status < 0 ? status : database_step(db, statement, err);
}

int database_load(struct database *db, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, SQL_HEAD, &statement, err);

	if (status == 0)
		status = database_step(db, statement, err);
	if (status < 0)
		return status;
	db->committed = (struct record_mark){0};
	if (status == 1) {
		db->committed.count = (uint64_t)sqlite3_column_int64(statement, 0) + 1;
		if (sqlite3_column_bytes(statement, 1) == DIGEST_BYTES)
			memcpy(db->committed.hash, sqlite3_column_blob(statement, 1),
			       DIGEST_BYTES);
		(void)sqlite3_reset(statement);
	}
	db->head = db->committed;
	status = database_prepare(db, SQL_KEPT_BYTES, &statement, err);
	if (status == 0)
		status = database_step(db, statement, err);
	if (status < 0)
		return status;
	db->kept_bytes = (uint64_t)sqlite3_column_int64(statement, 0);
	db->kept_bytes_committed = db->kept_bytes;
	(void)sqlite3_reset(statement);
	return 0;
}

int database_begin(struct database *db, bool is_durable, struct err *err)
{
	int status = 0;

	if (db->is_durable != is_durable)
		status = database_set(db,
				      is_durable ? "PRAGMA synchronous = FULL"
						 : "PRAGMA synchronous = NORMAL",
				      err);
	if (status < 0)
		return status;
	db->is_durable = is_durable;
	return database_run(db, SQL_BEGIN, err);
}

int database_commit(struct database *db, struct err *err)
{
	int status = database_run(db, SQL_COMMIT, err);

	if (status < 0) {
		database_rollback(db);
		return status;
	}
	db->committed = db->head;
	db->kept_bytes_committed = db->kept_bytes;
	return 0;
}

void database_rollback(struct database *db)
{
	/* Some failures (disk full among them) have rolled back already. */
	if (sqlite3_get_autocommit(db->handle) == 0)
		err_ignore(database_run(db, SQL_ROLLBACK, NULL), "nothing better can be done");
	db->head = db->committed;
	db->kept_bytes = db->kept_bytes_committed;
}

int database_checkpoint(struct database *db, bool is_last, struct err *err)
{
	int code = sqlite3_wal_checkpoint_v2(
		db->handle, "main",
		is_last ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

	/* Busy: a reader is in the way; the next one goes further. */
	if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY)
		return database_fail(db, "checkpoint", err);
	db->wal_pages = 0;
	return 0;
}
