/* The chain on a real database in memory: every change of a record is noticed. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "server/ledger/migrate.h"
#include "server/ledger/verify.h"

TestSuite(chain, .timeout = 60);

static struct database db;
static char folder[64];
static char path[96];

static void sql(const char *text)
{
	cr_assert(eq(int, sqlite3_exec(db.handle, text, NULL, NULL, NULL), SQLITE_OK), "%s: %s",
		  text, sqlite3_errmsg(db.handle));
}

static void add(uint64_t time_ms, const char *id, const char *body)
{
	struct record record = {.time_ms = time_ms,
				.kind = "execution_accepted",
				.execution_id = id,
				.tenant = "dev",
				.principal = "spiffe://td/a",
				.body = body,
				.body_length = strlen(body)};
	struct record_mark mark;
	struct err err = {0};

	cr_assert(eq(int, database_append(&db, &record, &mark, &err), 0), "%s", err.text);
}

static void open_new(void)
{
	own_migrations migrations = {0};
	struct err err = {0};
	int fd = open("migrations", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)snprintf(folder, sizeof(folder), "/tmp/casemate-unit-XXXXXX");
	cr_assert(mkdtemp(folder) != NULL);
	(void)snprintf(path, sizeof(path), "%s/audit.db", folder);
	cr_assert(eq(int, digest_init(&err), 0));
	cr_assert(eq(int, migrations_read(fd, &migrations, &err), 0), "%s", err.text);
	(void)close(fd);
	cr_assert(eq(int, database_open(&db, path, &err), 0), "%s", err.text);
	cr_assert(eq(int, migrations_apply(&migrations, &db, NULL, &err), 0), "%s", err.text);
	cr_assert(eq(int, database_load(&db, &err), 0));
	cr_assert(eq(int, database_begin(&db, true, &err), 0));
	for (int i = 0; i < 5; i++)
		add(1700000000000u + (uint64_t)i, "01ARYZ6S410000000000000000", "{\"a\":1}");
	cr_assert(eq(int, database_commit(&db, &err), 0));
	sql("DROP TRIGGER records_refuse_update; DROP TRIGGER records_refuse_delete");
}

static void close_all(void)
{
	char file[128];

	database_close(&db);
	for (int i = 0; i < 3; i++) {
		(void)snprintf(file, sizeof(file), "%s%s", path,
			       (const char *[]){"", "-wal", "-shm"}[i]);
		(void)unlink(file);
	}
	(void)rmdir(folder);
}

/* Records intact from the first, and whether all are. */
static uint64_t intact(bool *ret_is_intact)
{
	struct verdict verdict;
	struct err err = {0};

	cr_assert(eq(int, verify_chain(&db, &verdict, &err), 0), "%s", err.text);
	*ret_is_intact = verdict.is_intact;
	return verdict.intact;
}

static void assert_broken_at(uint64_t index, const char *what)
{
	bool is_intact = true;
	uint64_t count = intact(&is_intact);

	cr_assert(not(is_intact), "%s", what);
	cr_assert(eq(u64, count, index), "%s", what);
}

Test(chain, is_intact_as_written, .init = open_new, .fini = close_all)
{
	bool is_intact = false;

	cr_assert(eq(u64, intact(&is_intact), 5));
	cr_assert(is_intact);
}

/* Each byte of each column of record 2 is changed in turn and put back. */
Test(chain, notices_every_changed_byte, .init = open_new, .fini = close_all)
{
	static const char *const columns[] = {"kind", "execution_id", "tenant", "principal",
					      "body", "prev_hash",    "hash"};

	for (size_t i = 0; i < ARRAY_COUNT(columns); i++) {
		const char *is_text = i < 4 ? "text" : "blob";

		int at = 1;

		sql("SAVEPOINT before");
		for (; at <= 64; at++) {
			char text[512];
			int before = sqlite3_total_changes(db.handle);

			(void)snprintf(
				text, sizeof(text),
				"UPDATE records SET %s = CAST(CAST(substr(CAST(%s AS blob), 1, "
				"%d) AS blob) || CASE substr(CAST(%s AS blob), %d, 1) WHEN "
				"x'41' "
				"THEN x'42' ELSE x'41' END || CAST(substr(CAST(%s AS blob), "
				"%d) "
				"AS blob) AS %s) WHERE idx = 2 AND length(CAST(%s AS blob)) >= "
				"%d",
				columns[i], columns[i], at - 1, columns[i], at, columns[i],
				at + 1, is_text, columns[i], at);
			sql(text);
			if (sqlite3_total_changes(db.handle) == before)
				break;
			assert_broken_at(2, text);
			sql("ROLLBACK TO before");
		}
		sql("RELEASE before");
		cr_assert(gt(int, at, 3), "%s has not been changed", columns[i]);
	}
}

Test(chain, notices_changed_numbers, .init = open_new, .fini = close_all)
{
	for (int bit = 0; bit < 63; bit++) {
		char text[128];

		(void)snprintf(text, sizeof(text),
			       "UPDATE records SET time_ms = time_ms + (1 << %d) WHERE idx = 3",
			       bit);
		sql("SAVEPOINT before");
		sql(text);
		assert_broken_at(3, text);
		sql("ROLLBACK TO before; RELEASE before");
	}
	sql("UPDATE records SET idx = 9 WHERE idx = 4");
	assert_broken_at(4, "another index");
}

Test(chain, notices_removed_and_swapped_records, .init = open_new, .fini = close_all)
{
	sql("SAVEPOINT before; DELETE FROM records WHERE idx = 0");
	assert_broken_at(0, "the first is gone");
	sql("ROLLBACK TO before; DELETE FROM records WHERE idx = 2");
	assert_broken_at(2, "one in the middle is gone");
	sql("ROLLBACK TO before; UPDATE records SET idx = 99 WHERE idx = 1;"
	    "UPDATE records SET idx = 1 WHERE idx = 2; UPDATE records SET idx = 2 WHERE idx = "
	    "99");
	assert_broken_at(1, "two are swapped");
	sql("ROLLBACK TO before; RELEASE before");
}

/* Moving a byte from one text to its neighbour changes the lengths, and so the hash. */
Test(chain, notices_a_byte_moved_between_columns, .init = open_new, .fini = close_all)
{
	sql("UPDATE records SET tenant = 'devs', principal = substr(principal, 2) WHERE idx = "
	    "1");
	assert_broken_at(1, "moved");
}

/* Known values: whoever writes another checker can compare. */
Test(chain, has_this_hash)
{
	static const uint8_t zeros[DIGEST_BYTES] = {0};
	struct record record = {.index = 0,
				.time_ms = 1,
				.kind = "genesis",
				.execution_id = "",
				.tenant = "",
				.principal = "",
				.body = "{}",
				.body_length = 2};
	uint8_t bytes[16 + 32 + 16 + 4 + 7 + 4 * 3 + 4 + 2] = "casemate-record1";
	uint8_t expected[DIGEST_BYTES];
	uint8_t hash[DIGEST_BYTES];
	struct err err = {0};

	cr_assert(eq(int, digest_init(&err), 0));
	bytes[16 + 32 + 8] = 1;
	bytes[64] = 7;
	memcpy(bytes + 68, "genesis", 7);
	bytes[75 + 12] = 2;
	memcpy(bytes + 75 + 16, "{}", 2);
	digest_bytes(bytes, sizeof(bytes), expected);
	record_hash(&record, zeros, hash);

	cr_assert(eq(int, memcmp(hash, expected, DIGEST_BYTES), 0));
}
