#include "server/ledger/files.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/clock.h"
#include "base/log.h"

#define USER_VERSION 1 /* of the schema below; another one is emptied */
#define PAGE_BYTES   65536
#define CHECKPOINT_PAGES                                                     \
	64 /* of 64 KiB: the log stays small, and copying takes milliseconds \
	    */
#define PIECES_BITS                                                              \
	16 /* pieces of one file; a row's number is that of the file and its own \
	    */

_Static_assert(LIMIT_FILES_READ_BYTES / FILES_PIECE_BYTES < 1u << PIECES_BITS,
	       "the pieces of the largest file have numbers");

static const char schema[] =
	"CREATE TABLE files (id INTEGER PRIMARY KEY AUTOINCREMENT, execution_id TEXT NOT NULL,"
	" path TEXT NOT NULL, tenant TEXT NOT NULL, size INTEGER NOT NULL, sha256 BLOB NOT "
	"NULL,"
	" expires_ms INTEGER NOT NULL, is_whole INTEGER NOT NULL) STRICT;"
	"CREATE UNIQUE INDEX files_by_name ON files (execution_id, path);"
	"CREATE TABLE pieces (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;"
	"PRAGMA user_version = 1"; /* USER_VERSION */

/* Stores that were made without it get it. */
static const char expiry_index[] =
	"CREATE INDEX IF NOT EXISTS files_by_expiry ON files (expires_ms) WHERE is_whole = 1";

/* Settings of this database alone, each with its reason. */
static const char *const settings[] = {
	"PRAGMA synchronous = OFF",  /* it is no record; what a power cut damages is emptied */
	"PRAGMA secure_delete = ON", /* what has expired is overwritten */
};

/* --- life -------------------------------------------------------------------------------- */

static int number_callback(void *owner, int columns, char **values, char **names)
{
	(void)names;
	if (columns == 1 && values[0] != NULL)
		*(uint64_t *)owner = strtoull(values[0], NULL, 10);
	return 0;
}

static int run(struct files *files, const char *sql, void *number, struct err *err)
{
	if (sqlite3_exec(files->db.handle, sql, number != NULL ? number_callback : NULL, number,
			 NULL) != SQLITE_OK)
		return database_fail(&files->db, "files", err);
	return 0;
}

static int count_kept(struct files *files, struct err *err)
{
	return run(files, "SELECT coalesce(sum(size), 0) FROM files", &files->kept_bytes, err);
}

static int load(struct files *files, struct err *err)
{
	uint64_t version = 0;
	int status = run(files, "PRAGMA user_version", &version, err);

	if (status == 0 && version == 0)
		status = run(files, schema, NULL, err);
	else if (status == 0 && version != USER_VERSION)
		status = err_set(err, EPROTO, "files: made by another version");
	if (status == 0)
		status = run(files, expiry_index, NULL, err);
	if (status == 0)
		status = run(files,
			     "DELETE FROM pieces WHERE id >> 16 NOT IN (SELECT id FROM files)",
			     NULL, err);
	files->has_remains = true; /* what a killed process was writing */
	return status == 0 ? count_kept(files, err) : status;
}

static int open_once(struct files *files, const char *path, struct err *err)
{
	int status = database_open_paged(&files->db, path, PAGE_BYTES, err);

	for (size_t i = 0; status == 0 && i < ARRAY_COUNT(settings); i++)
		status = run(files, settings[i], NULL, err);
	return status;
}

/* Whatever is in them; nobody has them open. */
static int empty(const char *path, struct err *err)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
		char name[320];
		own_fd fd = -1;

		(void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		fd = open(name, O_RDWR | O_TRUNC | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT)
			return err_errno(err, errno, "empty %s", name);
	}
	return 0;
}

int files_open(struct files *files, struct loop *loop, const char *path, struct err *err)
{
	int status;

	*files = (struct files){.loop = loop};
	(void)snprintf(files->path, sizeof(files->path), "%s", path);
	files->piece = malloc(FILES_PIECE_BYTES);
	if (files->piece == NULL)
		return err_errno(err, ENOMEM, "buffer of the file store");
	status = open_once(files, path, err);
	if (status == 0)
		status = load(files, err);
	if (status == 0)
		return 0;
	log_event(LOG_WARN, "file_store_emptied", LOG_STR("reason", err->text));
	database_close(&files->db);
	status = empty(path, err);
	if (status == 0)
		status = open_once(files, path, err);
	if (status == 0)
		status = load(files, err);
	if (status < 0)
		files_close(files);
	return status;
}

void files_close(struct files *files)
{
	if (files->loop != NULL)
		loop_timer_stop(files->loop, &files->timer);
	database_close(&files->db);
	free(files->piece);
	files->piece = NULL;
}

/* --- the queue --------------------------------------------------------------------------- */

static void job_remove(struct files_job *job)
{
	struct files *files = job->files;

	if (!job->is_queued)
		return;
	job->is_queued = false;
	if (job->previous != NULL)
		job->previous->next = job->next;
	else
		files->first = job->next;
	if (job->next != NULL)
		job->next->previous = job->previous;
	else
		files->last = job->previous;
}

static void job_add(struct files_job *job)
{
	struct files *files = job->files;

	job->is_queued = true;
	job->next = NULL;
	job->previous = files->last;
	if (files->last != NULL)
		files->last->next = job;
	else
		files->first = job;
	files->last = job;
}

/* One piece of one job; then the next job has its turn. */
static void step_fire(struct loop *loop, struct timer *timer)
{
	struct files *files = timer->owner;
	struct files_job *job = files->first;
	struct err err = {0};
	int status;

	if (job == NULL)
		return;
	job_remove(job);
	status = job->step(job, &err);
	if (status == 1)
		job_add(job);
	else
		job->done(job, status < 0 ? &err : NULL);
	if (files->first != NULL)
		loop_timer_start(loop, timer, 0);
}

static void job_start(struct files *files, struct files_job *job)
{
	job->files = files;
	job_add(job);
	files->timer.fire = step_fire;
	files->timer.owner = files;
	if (!files->timer.is_armed)
		loop_timer_start(files->loop, &files->timer, 0);
}

/* --- deleting ---------------------------------------------------------------------------- */

static int keep_step(struct files_job *job, struct err *err);

static bool is_being_written(const struct files *files, uint64_t id)
{
	for (const struct files_job *job = files->first; job != NULL; job = job->next)
		if (job->step == keep_step &&
		    ((const struct files_keep *)(const void *)job)->id == id)
			return true;
	return false;
}

static void going_set(struct files *files, sqlite3_stmt *row)
{
	files->going_id = (uint64_t)sqlite3_column_int64(row, 0);
	files->going_size = (uint64_t)sqlite3_column_int64(row, 1);
	files->going_pieces = (files->going_size + FILES_PIECE_BYTES - 1) / FILES_PIECE_BYTES;
}

/* What a killed process was writing, or a full disk cut off. */
static int find_remains(struct files *files, struct err *err)
{
	sqlite3_stmt *row = NULL;
	int status = database_prepare(&files->db, SQL_FILE_REMAINS, &row, err);

	if (status < 0)
		return status;
	while ((status = database_step(&files->db, row, err)) == 1)
		if (!is_being_written(files, (uint64_t)sqlite3_column_int64(row, 0))) {
			going_set(files, row);
			(void)sqlite3_reset(row);
			return 1;
		}
	files->has_remains = status < 0;
	return status;
}

/* By its end, because an old one may expire later than others: retain.files_s was lowered, or
 * the clock set back. What is just being written is not whole. */
static int find_whole(struct files *files, enum sql sql, uint64_t now_ms, struct err *err)
{
	sqlite3_stmt *row = NULL;
	int status = database_prepare(&files->db, sql, &row, err);

	if (status < 0)
		return status;
	if (sql == SQL_FILE_EXPIRED)
		(void)sqlite3_bind_int64(row, 1, (sqlite3_int64)now_ms);
	status = database_step(&files->db, row, err);
	if (status == 1) {
		going_set(files, row);
		(void)sqlite3_reset(row);
	}
	return status;
}

static int run_on(struct files *files, enum sql sql, uint64_t id, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(&files->db, sql, &statement, err);

	if (status < 0)
		return status;
	(void)sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
	return database_step(&files->db, statement, err);
}

/* 1: there is one to delete, which is not given out any more. */
static int going_begin(struct files *files, uint64_t now_ms, uint64_t bytes_max,
		       struct err *err)
{
	int status = files->has_remains ? find_remains(files, err) : 0;

	if (status == 0)
		status = find_whole(files, SQL_FILE_EXPIRED, now_ms, err);
	if (status == 0 && files->kept_bytes > bytes_max)
		status = find_whole(files, SQL_FILE_OLDEST, 0, err);
	if (status == 1 && run_on(files, SQL_FILE_GOES, files->going_id, err) < 0)
		return -EIO;
	return status;
}

static int going_piece(struct files *files, struct err *err)
{
	int status = 0;

	if (files->going_pieces > 0)
		status = run_on(files, SQL_PIECE_FORGET,
				files->going_id << PIECES_BITS | --files->going_pieces, err);
	if (status < 0 || files->going_pieces > 0)
		return status;
	status = run_on(files, SQL_FILE_FORGET, files->going_id, err);
	if (status == 0) {
		files->kept_bytes -= files->going_size < files->kept_bytes ? files->going_size
									   : files->kept_bytes;
		files->going_id = 0;
	}
	return status;
}

/* The log cannot start over by itself: automatic checkpoints are off. */
static int commit(struct files *files, int status, struct err *err)
{
	if (status == 0)
		status = database_commit(&files->db, err);
	if (status < 0) {
		database_rollback(&files->db);
		err_ignore(count_kept(files, NULL), "the next failure says it");
		return status;
	}
	if (files->db.wal_pages >= CHECKPOINT_PAGES)
		status = database_checkpoint(&files->db, false, err);
	return status;
}

/* A piece of what has to go; 1: done, 0: nothing has. What is deleted is overwritten, through
 * the log: a whole file in one transaction would need as much room on the disk once more, which
 * is the record's, and all callers would wait for it. */
static int purge(struct files *files, uint64_t now_ms, uint64_t bytes_max, struct err *err)
{
	int found = files->going_id != 0;
	int status = database_run(&files->db, SQL_BEGIN, err);

	if (status == 0 && !found)
		found = going_begin(files, now_ms, bytes_max, err);
	if (status == 0)
		status = found == 1 ? going_piece(files, err) : found;
	status = commit(files, status, err);
	if (status < 0) {
		files->going_id = 0;
		files->has_remains = true;
	}
	return status < 0 ? status : found;
}

static int purge_step(struct files_job *job, struct err *err)
{
	return purge(job->files, clock_wall_ms(), job->files->bytes_max, err);
}

static void purged(struct files_job *job, const struct err *err)
{
	(void)job;
	if (err != NULL)
		log_event(LOG_WARN, "file_store_failed", LOG_STR("reason", err->text));
}

static void purge_start(struct files *files)
{
	files->purge.step = purge_step;
	files->purge.done = purged;
	if (!files->purge.is_queued)
		job_start(files, &files->purge);
}

int files_forget(struct files *files, const char *execution_id, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status = 0;

	if (files->db.handle == NULL)
		return 0;
	status = database_prepare(&files->db, SQL_FILE_DISOWN, &statement, err);
	if (status < 0)
		return status;
	(void)sqlite3_bind_text(statement, 1, execution_id, -1, SQLITE_STATIC);
	files->has_remains = true;
	return database_step(&files->db, statement, err);
}

void files_tick(struct files *files, uint64_t bytes_max)
{
	if (files->db.handle == NULL)
		return;
	files->bytes_max = bytes_max;
	purge_start(files);
}

/* --- writing ----------------------------------------------------------------------------- */

int files_keep_add(struct files_keep *keep, const struct outcome_file *file, struct err *err)
{
	if (keep->count >= LIMIT_FILES)
		return err_set(err, EPROTO, "more than %d files", LIMIT_FILES);
	/* Grows by 16: most executions leave none or few. */
	if (keep->count % 16 == 0) {
		void *grown = realloc(keep->list, (keep->count + 16) * sizeof(*keep->list));

		if (grown == NULL)
			return err_errno(err, ENOMEM, "the list of files");
		keep->list = grown;
	}
	keep->list[keep->count++] = *file;
	return 0;
}

/* Of files that are being written: the disk does not show it yet. */
static uint64_t bytes_to_come(const struct files *files)
{
	uint64_t bytes = 0;

	for (const struct files_job *job = files->first; job != NULL; job = job->next) {
		const struct files_keep *keep = (const struct files_keep *)(const void *)job;

		if (job->step == keep_step && keep->id != 0)
			bytes += keep->list[keep->at].size - keep->offset;
	}
	return bytes;
}

static int check_disk(struct files *files, uint64_t size, struct err *err)
{
	uint64_t free_bytes = 0; /* in the database, whose file never shrinks */
	struct statfs disk;

	if (run(files, "PRAGMA freelist_count", &free_bytes, err) < 0)
		return -EIO;
	free_bytes *= PAGE_BYTES;
	size += bytes_to_come(files);
	size -= free_bytes < size ? free_bytes : size;
	if (statfs(files->path, &disk) != 0)
		return err_errno(err, errno, "look at the disk of the file store");
	if ((uint64_t)disk.f_bavail * (uint64_t)disk.f_bsize < size + FILES_DISK_SPARE)
		return err_set(err, ENOSPC, "the disk has no more room than the record needs");
	return 0;
}

/* 1: more has to go first. */
static int make_room(struct files *files, uint64_t size, struct err *err)
{
	uint64_t room = size < files->bytes_max ? files->bytes_max - size : 0;

	return files->kept_bytes > room ? purge(files, clock_wall_ms(), room, err) : 0;
}

static int keep_begin(struct files_keep *keep, const struct outcome_file *file, struct err *err)
{
	struct files *files = keep->job.files;
	sqlite3_stmt *statement = NULL;
	int status = check_disk(files, file->size, err);

	if (status == 0)
		status = database_prepare(&files->db, SQL_FILE_ADD, &statement, err);
	if (status < 0)
		return status;
	(void)sqlite3_bind_text(statement, 1, keep->execution_id, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(statement, 2, file->path, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(statement, 3, keep->tenant, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(statement, 4, (sqlite3_int64)file->size);
	(void)sqlite3_bind_blob(statement, 5, file->sha256, DIGEST_BYTES, SQLITE_STATIC);
	(void)sqlite3_bind_int64(statement, 6, (sqlite3_int64)keep->expires_ms);
	status = database_step(&files->db, statement, err);
	if (status < 0)
		return status;
	keep->id = (uint64_t)sqlite3_last_insert_rowid(files->db.handle);
	keep->offset = 0;
	files->kept_bytes += file->size;
	return 0;
}

static int piece_write(struct files_keep *keep, const struct outcome_file *file,
		       struct err *err)
{
	struct files *files = keep->job.files;
	uint64_t left = file->size - keep->offset;
	size_t length = left < FILES_PIECE_BYTES ? (size_t)left : FILES_PIECE_BYTES;
	sqlite3_stmt *statement = NULL;
	uint64_t row = keep->id << PIECES_BITS | keep->offset / FILES_PIECE_BYTES;
	int status;

	if (pread(keep->bundle_fd, files->piece, length,
		  (off_t)(file->offset + keep->offset)) != (ssize_t)length)
		return err_set(err, EIO, "a file in the outcome cannot be read");
	status = database_prepare(&files->db, SQL_PIECE_ADD, &statement, err);
	if (status < 0)
		return status;
	(void)sqlite3_bind_int64(statement, 1, (sqlite3_int64)row);
	(void)sqlite3_bind_blob64(statement, 2, files->piece, length, SQLITE_STATIC);
	status = database_step(&files->db, statement, err);
	if (status == 0)
		keep->offset += length;
	return status;
}

static int keep_whole(struct files_keep *keep, struct err *err)
{
	int status = run_on(keep->job.files, SQL_FILE_WHOLE, keep->id, err);

	if (status == 0) {
		keep->id = 0;
		keep->at++;
	}
	return status;
}

static int keep_piece(struct files_keep *keep, struct err *err)
{
	struct files *files = keep->job.files;
	const struct outcome_file *file = &keep->list[keep->at];
	int status = database_run(&files->db, SQL_BEGIN, err);

	if (status == 0 && keep->id == 0)
		status = keep_begin(keep, file, err);
	if (status == 0)
		status = piece_write(keep, file, err);
	if (status == 0 && keep->offset == file->size)
		status = keep_whole(keep, err);
	return commit(files, status, err);
}

/* A piece, in a transaction of its own: a rollback of one leaves nothing else in doubt. */
static int keep_step(struct files_job *job, struct err *err)
{
	struct files_keep *keep = (struct files_keep *)(void *)job;
	int status = keep->id == 0 ? make_room(job->files, keep->list[keep->at].size, err) : 0;

	if (status == 1)
		return 1;
	if (status == 0)
		status = keep_piece(keep, err);
	if (status < 0) {
		job->files->lost += keep->count - keep->at;
		return status;
	}
	return keep->at < keep->count ? 1 : 0;
}

void files_keep_start(struct files *files, struct files_keep *keep)
{
	keep->job.step = keep_step;
	job_start(files, &keep->job);
}

void files_keep_stop(struct files_keep *keep)
{
	struct files *files = keep->job.files;

	if (files != NULL)
		job_remove(&keep->job);
	if (keep->id != 0) {
		keep->id = 0;
		files->has_remains = true;
		purge_start(files);
	}
	free(keep->list);
	keep->list = NULL;
	keep->count = 0;
	keep->at = 0;
}

/* --- reading ----------------------------------------------------------------------------- */

int files_find(struct files *files, const char *execution_id, const char *path, uint64_t now_ms,
	       struct file_facts *ret, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	int status;

	if (files->db.handle == NULL)
		return 0;
	status = database_prepare(&files->db, SQL_FILE_FIND, &statement, err);
	if (status < 0)
		return status;
	(void)sqlite3_bind_text(statement, 1, execution_id, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(statement, 2, path, -1, SQLITE_STATIC);
	status = database_step(&files->db, statement, err);
	if (status <= 0)
		return status;
	*ret = (struct file_facts){
		.id = (uint64_t)sqlite3_column_int64(statement, 0),
		.size = (uint64_t)sqlite3_column_int64(statement, 1),
		.expires_ms = (uint64_t)sqlite3_column_int64(statement, 3),
	};
	if (sqlite3_column_bytes(statement, 2) == DIGEST_BYTES)
		memcpy(ret->sha256, sqlite3_column_blob(statement, 2), DIGEST_BYTES);
	(void)snprintf(ret->tenant, sizeof(ret->tenant), "%s",
		       (const char *)sqlite3_column_text(statement, 4));
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
	return ret->expires_ms > now_ms ? 1 : 0;
}

static int append(int fd, const uint8_t *data, size_t length, struct err *err)
{
	while (length > 0) {
		ssize_t wrote = write(fd, data, length);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return err_errno(err, wrote < 0 ? errno : EIO, "write a memfd");
		data += wrote;
		length -= (size_t)wrote;
	}
	return 0;
}

static int read_step(struct files_job *job, struct err *err)
{
	struct files_read *read = (struct files_read *)(void *)job;
	struct database *db = &job->files->db;
	uint64_t start = read->offset % FILES_PIECE_BYTES;
	uint64_t length = FILES_PIECE_BYTES - start;
	sqlite3_stmt *statement = NULL;
	int status = database_prepare(db, SQL_PIECE_FIND, &statement, err);

	if (status < 0)
		return status;
	if (length > read->end - read->offset)
		length = read->end - read->offset;
	(void)sqlite3_bind_int64(statement, 1,
				 (sqlite3_int64)(read->facts.id << PIECES_BITS |
						 read->offset / FILES_PIECE_BYTES));
	status = database_step(db, statement, err);
	if (status == 0)
		return err_set(err, ENOENT, "it has been deleted meanwhile");
	if (status < 0)
		return status;
	if ((uint64_t)sqlite3_column_bytes(statement, 0) < start + length)
		status = err_set(err, EIO, "a piece of a kept file is too short");
	else
		status = append(read->fd,
				(const uint8_t *)sqlite3_column_blob(statement, 0) + start,
				(size_t)length, err);
	(void)sqlite3_reset(statement);
	if (status < 0)
		return status;
	read->offset += length;
	return read->offset < read->end ? 1 : memfd_seal(read->fd, err);
}

struct files_read *files_read_start(struct files *files, const struct file_facts *facts,
				    uint64_t offset, uint64_t length, uint64_t ask_id,
				    void (*done)(struct files_job *job, const struct err *err))
{
	struct files_read *read;
	struct err err;

	if (files->reading_bytes + length > FILES_READING_BYTES_MAX)
		return NULL;
	read = calloc(1, sizeof(*read));
	if (read == NULL)
		return NULL;
	if (memfd_new("file", &read->fd, &err) < 0) {
		free(read);
		return NULL;
	}
	read->facts = *facts;
	read->ask_id = ask_id;
	read->offset = offset;
	read->end = offset + length;
	read->reserved = length;
	files->reading_bytes += length;
	read->job.step = read_step;
	read->job.done = done;
	job_start(files, &read->job);
	return read;
}

void files_read_free(struct files_read *read)
{
	job_remove(&read->job);
	read->job.files->reading_bytes -= read->reserved;
	fd_drop(&read->fd);
	free(read);
}

void files_read_stop_all(struct files *files)
{
	struct files_job *next;

	for (struct files_job *job = files->first; job != NULL; job = next) {
		next = job->next;
		if (job->step == read_step)
			files_read_free((struct files_read *)(void *)job);
	}
}
