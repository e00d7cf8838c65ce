#include "server/ledger/verify.h"

#include <stdio.h>
#include <string.h>

/* The columns of SQL_WALK. */
enum { IDX, TIME, KIND, EXECUTION, TENANT, PRINCIPAL, BODY, PREVIOUS, HASH };

static const char *text_of(sqlite3_stmt *row, int at)
{
	const char *text = (const char *)sqlite3_column_text(row, at);

	return text != NULL ? text : "";
}

/* A text with a NUL inside would be hashed only up to it, so what follows could be changed. */
static bool has_plain_texts(sqlite3_stmt *row)
{
	for (int at = KIND; at <= PRINCIPAL; at++)
		if (sqlite3_column_type(row, at) != SQLITE_TEXT ||
		    strlen(text_of(row, at)) != (size_t)sqlite3_column_bytes(row, at))
			return false;
	return sqlite3_column_type(row, BODY) == SQLITE_BLOB;
}

static bool is_hash(sqlite3_stmt *row, int at, const uint8_t hash[DIGEST_BYTES])
{
	return sqlite3_column_bytes(row, at) == DIGEST_BYTES &&
	       memcmp(sqlite3_column_blob(row, at), hash, DIGEST_BYTES) == 0;
}

/* NULL when the row follows `verdict`, which then moves on; else what is wrong. */
static const char *row_check(sqlite3_stmt *row, struct verdict *verdict)
{
	const void *body = sqlite3_column_blob(row, BODY);
	uint8_t hash[DIGEST_BYTES];
	struct record record = {
		.index = (uint64_t)sqlite3_column_int64(row, IDX),
		.time_ms = (uint64_t)sqlite3_column_int64(row, TIME),
		.body = body != NULL ? body : "",
		.body_length = (size_t)sqlite3_column_bytes(row, BODY),
	};

	if (record.index != verdict->intact)
		return "a record is missing before it";
	if (!has_plain_texts(row))
		return "a column has another type";
	if (!is_hash(row, PREVIOUS, verdict->hash))
		return "it does not link to the record before it";
	record.kind = text_of(row, KIND);
	record.execution_id = text_of(row, EXECUTION);
	record.tenant = text_of(row, TENANT);
	record.principal = text_of(row, PRINCIPAL);
	record_hash(&record, verdict->hash, hash);
	if (!is_hash(row, HASH, hash))
		return "its content does not have its hash";
	memcpy(verdict->hash, hash, DIGEST_BYTES);
	verdict->intact++;
	return NULL;
}

int verify_chain(struct database *db, struct verdict *ret, struct err *err)
{
	struct verdict verdict = {.is_intact = true};
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, SQL_WALK, &statement, err);

	if (status < 0)
		return status;
	while (verdict.is_intact && (status = database_step(db, statement, err)) == 1) {
		const char *wrong = row_check(statement, &verdict);

		if (wrong != NULL) {
			verdict.is_intact = false;
			(void)snprintf(verdict.reason, sizeof(verdict.reason), "%s", wrong);
		}
	}
	if (status == 1)
		(void)sqlite3_reset(statement);
	/* A page that SQLite itself finds damaged is a broken chain too. */
	if (status < 0 && (sqlite3_errcode(db->handle) & 0xFF) == SQLITE_CORRUPT) {
		verdict.is_intact = false;
		(void)snprintf(verdict.reason, sizeof(verdict.reason),
			       "the database file is damaged there");
		status = 0;
	}
	if (status < 0)
		return status;
	*ret = verdict;
	return 0;
}
