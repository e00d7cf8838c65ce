/* The rows of database.h: values to columns and back. */
#include <string.h>

#include "server/ledger/database.h"

/* SQLite copies nothing while it inserts; the values outlive the step. */
static void bind_text(sqlite3_stmt *statement, int at, const char *text)
{
	(void)sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static void bind_number(sqlite3_stmt *statement, int at, uint64_t number)
{
	(void)sqlite3_bind_int64(statement, at, (sqlite3_int64)number);
}

static void bind_blob(sqlite3_stmt *statement, int at, const void *data, size_t length)
{
	(void)sqlite3_bind_blob64(statement, at, data, length, SQLITE_STATIC);
}

static void column_text(sqlite3_stmt *statement, int at, char *ret, size_t capacity)
{
	const unsigned char *text = sqlite3_column_text(statement, at);

	(void)snprintf(ret, capacity, "%s", text != NULL ? (const char *)text : "");
}

static uint64_t column_number(sqlite3_stmt *statement, int at)
{
	return (uint64_t)sqlite3_column_int64(statement, at);
}

int database_append(struct database *db, struct record *record, struct record_mark *ret,
		    struct err *err)
{
	struct record_mark mark = {.count = db->head.count + 1};
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, SQL_APPEND, &statement, err);

	if (status < 0)
		return status;
	record->index = db->head.count;
	record_hash(record, db->head.hash, mark.hash);
	bind_number(statement, 1, record->index);
	bind_number(statement, 2, record->time_ms);
	bind_text(statement, 3, record->kind);
	bind_text(statement, 4, record->execution_id);
	bind_text(statement, 5, record->tenant);
	bind_text(statement, 6, record->principal);
	bind_blob(statement, 7, record->body, record->body_length);
	bind_blob(statement, 8, db->head.hash, DIGEST_BYTES);
	bind_blob(statement, 9, mark.hash, DIGEST_BYTES);
	status = database_step(db, statement, err);
	if (status < 0)
		return status;
	db->head = mark;
	*ret = mark;
	return 0;
}

int database_open_add(struct database *db, const struct open_execution *open, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, SQL_OPEN_ADD, &statement, err);

	if (status < 0)
		return status;
	bind_text(statement, 1, open->id);
	bind_text(statement, 2, open->tenant);
	bind_text(statement, 3, open->principal);
	bind_text(statement, 4, open->runtime);
	bind_text(statement, 5, open->request_id);
	bind_number(statement, 6, open->created_ms);
	return database_step(db, statement, err);
}

int database_open_delete(struct database *db, const char *id, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, SQL_OPEN_DELETE, &statement, err);

	if (status < 0)
		return status;
	bind_text(statement, 1, id);
	return database_step(db, statement, err);
}

int database_open_first(struct database *db, struct open_execution *ret, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, SQL_OPEN_FIRST, &statement, err);

	if (status == 0)
		status = database_step(db, statement, err);
	if (status <= 0)
		return status;
	column_text(statement, 0, ret->id, sizeof(ret->id));
	column_text(statement, 1, ret->tenant, sizeof(ret->tenant));
	column_text(statement, 2, ret->principal, sizeof(ret->principal));
	column_text(statement, 3, ret->runtime, sizeof(ret->runtime));
	column_text(statement, 4, ret->request_id, sizeof(ret->request_id));
	ret->created_ms = column_number(statement, 5);
	(void)sqlite3_reset(statement);
	return 1;
}

/* The columns of ANSWER_EXECUTION, numbered in the order of its field list. */
enum field {
#define FIELD(kind, name, low, high) FIELD_##name,
	ANSWER_EXECUTION_FIELDS(FIELD)
#undef FIELD
		FIELD_COUNT
};

enum { COLUMN_TENANT = FIELD_COUNT, COLUMN_EXPIRES, COLUMN_BYTES, COLUMN_MEMBERS };

#define BIND_U8(name, low, high)  bind_number(statement, FIELD_##name + 1, answer->name);
#define BIND_U32(name, low, high) bind_number(statement, FIELD_##name + 1, answer->name);
#define BIND_U64(name, low, high) bind_number(statement, FIELD_##name + 1, answer->name);
#define BIND_I64(name, low, high) \
	bind_number(statement, FIELD_##name + 1, (uint64_t)answer->name);
#define BIND_STR(name, low, high)   bind_text(statement, FIELD_##name + 1, answer->name);
#define BIND_BYTES(name, low, high) bind_blob(statement, FIELD_##name + 1, answer->name, high);
#define BIND(kind, name, low, high) BIND_##kind(name, low, high)

/* What a row weighs: its members and about as much as the rest of it takes. */
#define ROW_BYTES 512

int database_keep(struct database *db, const struct kept_answer *kept, struct err *err)
{
	const struct answer_execution *answer = &kept->answer;
	uint64_t bytes = ROW_BYTES + (kept->has_members ? kept->members.length : 0);
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, SQL_EXECUTION_ADD, &statement, err);

	if (status < 0)
		return status;
	ANSWER_EXECUTION_FIELDS(BIND)
	/* By name, so that people can read the table. */
	bind_text(statement, FIELD_status + 1, status_name(answer->status));
	bind_text(statement, COLUMN_TENANT + 1, kept->tenant);
	bind_number(statement, COLUMN_EXPIRES + 1, kept->expires_ms);
	bind_number(statement, COLUMN_BYTES + 1, bytes);
	if (kept->has_members)
		bind_blob(statement, COLUMN_MEMBERS + 1, kept->members.data,
			  kept->members.length);
	status = database_step(db, statement, err);
	if (status == 0)
		db->kept_bytes += bytes;
	return status;
}

#define READ_U8(name, low, high) answer->name = (uint8_t)column_number(statement, FIELD_##name);
#define READ_U32(name, low, high) \
	answer->name = (uint32_t)column_number(statement, FIELD_##name);
#define READ_U64(name, low, high) answer->name = column_number(statement, FIELD_##name);
#define READ_I64(name, low, high) answer->name = sqlite3_column_int64(statement, FIELD_##name);
#define READ_STR(name, low, high) \
	column_text(statement, FIELD_##name, answer->name, sizeof(answer->name));
#define READ_BYTES(name, low, high)                                  \
	if (sqlite3_column_bytes(statement, FIELD_##name) == (high)) \
		memcpy(answer->name, sqlite3_column_blob(statement, FIELD_##name), high);
#define READ(kind, name, low, high) READ_##kind(name, low, high)

static uint8_t status_number(const char *name)
{
	for (uint8_t status = STATUS_NONE + 1; status <= STATUS_MAX; status++)
		if (strcmp(status_name(status), name) == 0)
			return status;
	return STATUS_INTERNAL_ERROR;
}

static int row_read(sqlite3_stmt *statement, struct kept_answer *ret, int *ret_members_fd,
		    struct err *err)
{
	struct answer_execution *answer = &ret->answer;
	int at = COLUMN_MEMBERS;

	*ret = (struct kept_answer){0};
	ANSWER_EXECUTION_FIELDS(READ)
	answer->status =
		status_number((const char *)sqlite3_column_text(statement, FIELD_status));
	column_text(statement, COLUMN_TENANT, ret->tenant, sizeof(ret->tenant));
	ret->expires_ms = column_number(statement, COLUMN_EXPIRES);
	ret->has_members = sqlite3_column_type(statement, at) != SQLITE_NULL;
	*ret_members_fd = -1;
	if (!ret->has_members)
		return 0;
	return memfd_from("members", sqlite3_column_blob(statement, at),
			  (size_t)sqlite3_column_bytes(statement, at), ret_members_fd, err);
}

int database_find(struct database *db, const char *id, struct kept_answer *ret,
		  int *ret_members_fd, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, SQL_EXECUTION_FIND, &statement, err);

	if (status < 0)
		return status;
	bind_text(statement, 1, id);
	status = database_step(db, statement, err);
	if (status <= 0)
		return status;
	status = row_read(statement, ret, ret_members_fd, err);
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return status < 0 ? status : 1;
}

struct oldest {
	uint64_t rowid;
	uint64_t expires_ms;
	uint64_t bytes;
};

static int oldest_read(struct database *db, struct oldest *ret, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, SQL_OLDEST, &statement, err);

	if (status == 0)
		status = database_step(db, statement, err);
	if (status <= 0)
		return status;
	*ret = (struct oldest){.rowid = column_number(statement, 0),
			       .expires_ms = column_number(statement, 1),
			       .bytes = column_number(statement, 2)};
	(void)sqlite3_reset(statement);
	return 1;
}

int database_has_expired(struct database *db, uint64_t now_ms, uint64_t bytes_max,
			 struct err *err)
{
	struct oldest oldest;
	int status = oldest_read(db, &oldest, err);

	if (status <= 0)
		return status;
	return oldest.expires_ms <= now_ms || db->kept_bytes > bytes_max;
}

int database_purge(struct database *db, uint64_t now_ms, uint64_t bytes_max, int rows,
		   struct err *err)
{
	for (int count = 0; count < rows; count++) {
		sqlite3_stmt *statement = NULL;
		struct oldest oldest;
		int status = oldest_read(db, &oldest, err);

		if (status < 0)
			return status;
		if (status == 0 || (oldest.expires_ms > now_ms && db->kept_bytes <= bytes_max))
			return count;
		status = database_prepare(db, SQL_FORGET, &statement, err);
		if (status < 0)
			return status;
		bind_number(statement, 1, oldest.rowid);
		status = database_step(db, statement, err);
		if (status < 0)
			return status;
		db->kept_bytes -= oldest.bytes < db->kept_bytes ? oldest.bytes : db->kept_bytes;
	}
	return rows;
}
