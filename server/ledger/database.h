/*
 * server/ledger/database.h - the audit database: one connection, one writer, SQLite in WAL
 * mode.
 *
 * What is written belongs to a transaction. A durable one is on the disk when database_commit()
 * returns (synchronous=FULL); an early one survives the end of any process of the service, but
 * not a power cut (synchronous=NORMAL). That is enough for "accepted", because a job without
 * network has had no effect outside when the power goes, and takes 0.02 ms instead of 0.27. Any
 * failure rolls the transaction back and leaves the end of the chain where it was.
 */
#ifndef SERVER_LEDGER_DATABASE_H
#define SERVER_LEDGER_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>

#include "schema/wire/gate_ledger.h"
#include "server/ledger/record.h"

enum sql {
#define SQL(symbol, text) SQL_##symbol,
#include "server/ledger/statements.def"
#undef SQL
	SQL_COUNT
};

struct database {
	sqlite3 *handle; /* owned */
	sqlite3_stmt *statements[SQL_COUNT];
	struct record_mark head;      /* with the records of the open transaction */
	struct record_mark committed; /* without */
	uint64_t kept_bytes;	      /* answers kept, with those of the open transaction */
	uint64_t kept_bytes_committed;
	int wal_pages;	 /* since the last checkpoint */
	bool is_durable; /* what synchronous is set to */
};

/* Opens (and makes) the file. The schema is not looked at. */
nodiscard int database_open(struct database *db, const char *path, struct err *err);

/* The same with pages of `page_bytes` if it is made now: large ones suit large values. */
nodiscard int database_open_paged(struct database *db, const char *path, unsigned page_bytes,
				  struct err *err);

/* For checkers: opens a file that exists and never writes. */
nodiscard int database_open_readonly(struct database *db, const char *path, struct err *err);
void database_close(struct database *db);

#define own_database __attribute__((cleanup(database_close))) struct database

/* Reads the end of the chain and the size of what is kept; after the migrations, and again
 * after any failure, because SQLite knows better than we what became of it. */
nodiscard int database_load(struct database *db, struct err *err);

nodiscard int database_begin(struct database *db, bool is_durable, struct err *err);
nodiscard int database_commit(struct database *db, struct err *err);
void database_rollback(struct database *db);

/* Appends to the chain: sets record->index, and *ret to the chain's end behind it. */
nodiscard int database_append(struct database *db, struct record *record,
			      struct record_mark *ret, struct err *err);

/* An accepted execution that has not ended. */
struct open_execution {
	char id[LIMIT_ID_CHARS + 1];
	char tenant[LIMIT_NAME_BYTES + 1];
	char principal[LIMIT_IDENTITY_BYTES + 1];
	char runtime[LIMIT_NAME_BYTES + 1];
	char request_id[LIMIT_REQUEST_ID_BYTES + 1];
	uint64_t created_ms;
};

nodiscard int database_open_add(struct database *db, const struct open_execution *open,
				struct err *err);
nodiscard int database_open_delete(struct database *db, const char *id, struct err *err);
/* 1: *ret is one; 0: there is none. */
nodiscard int database_open_first(struct database *db, struct open_execution *ret,
				  struct err *err);

/* An answer as it is kept. */
struct kept_answer {
	struct answer_execution answer;
	char tenant[LIMIT_NAME_BYTES + 1];
	uint64_t expires_ms;
	bool has_members; /* false: they were too large to keep */
	struct span members;
};

nodiscard int database_keep(struct database *db, const struct kept_answer *kept,
			    struct err *err);

/* 1: found, the members are in a new sealed memfd *ret_members_fd (-1 without them); 0: not. */
nodiscard int database_find(struct database *db, const char *id, struct kept_answer *ret,
			    int *ret_members_fd, struct err *err);

/* Deletes at most `rows` answers, the oldest first, while they are expired or their total is
 * above `bytes_max`. Inside a transaction. Returns how many, or a negative errno. */
nodiscard int database_purge(struct database *db, uint64_t now_ms, uint64_t bytes_max, int rows,
			     struct err *err);
/* 1 if database_purge would delete something. */
nodiscard int database_has_expired(struct database *db, uint64_t now_ms, uint64_t bytes_max,
				   struct err *err);

/* Moves the write-ahead log into the database file, as far as readers allow. With `is_last`,
 * the log is emptied. */
nodiscard int database_checkpoint(struct database *db, bool is_last, struct err *err);

/* The statement, ready to be bound; database_step() resets it unless it returns 1 (a row). */
nodiscard int database_prepare(struct database *db, enum sql sql, sqlite3_stmt **ret,
			       struct err *err);
nodiscard int database_step(struct database *db, sqlite3_stmt *statement, struct err *err);
/* Runs a statement that takes no values and gives no rows. */
nodiscard int database_run(struct database *db, enum sql sql, struct err *err);
/* Records SQLite's own message; returns -EIO, -ENOSPC or -EROFS. */
nodiscard int database_fail(struct database *db, const char *what, struct err *err);

#endif
