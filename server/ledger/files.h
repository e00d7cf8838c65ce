/*
 * server/ledger/files.h - result files that are too large for the answer, kept for a while.
 *
 * A database of its own beside the audit database, because it is no record: it is never synced,
 * it may be deleted at any time, and one that is damaged is emptied. Files outlive a restart. A
 * file lies in pieces, and one piece is written or read between two rounds of the loop, so that
 * 48 MiB of one caller hold up nobody. The oldest make room for new ones.
 */
#ifndef SERVER_LEDGER_FILES_H
#define SERVER_LEDGER_FILES_H

#include "schema/wire/ledger_validator.h"
#include "server/ledger/database.h"

#include "base/loop.h"

#define FILES_PIECE_BYTES (1u << 20) /* about a millisecond of the loop's time */
/* Bytes that stay free on the disk whatever is kept: the record goes first. Its log and the
 * largest answer that is kept need 36 MiB. */
#define FILES_DISK_SPARE (48ull << 20)
/* Parts being read for callers, all together: five whole files of the largest size. */
#define FILES_READING_BYTES_MAX (5 * LIMIT_FILES_READ_BYTES)

/* What a kept file is. */
struct file_facts {
	uint64_t id;
	uint64_t size;
	uint8_t sha256[DIGEST_BYTES];
	char tenant[LIMIT_NAME_BYTES + 1];
	uint64_t expires_ms;
};

/* Work that is done a piece a round. Embedded in its owner, who keeps it until `done`. */
struct files_job {
	struct files_job *next;
	struct files_job *previous;
	bool is_queued;
	int (*step)(struct files_job *job, struct err *err); /* 1: more to do; 0: all done */
	void (*done)(struct files_job *job, const struct err *err); /* NULL: it is done */
	struct files *files;
};

struct files {
	struct database db;
	struct loop *loop;
	struct timer timer;
	struct files_job *first;
	struct files_job *last;
	uint64_t kept_bytes;
	uint64_t bytes_max;
	uint64_t reading_bytes;
	uint64_t lost;	  /* files that could not be kept, ever */
	bool has_remains; /* of a file that could not be written, or deleted, whole */
	struct files_job purge;
	uint64_t going_id; /* the file being deleted; 0: none */
	uint64_t going_size;
	uint64_t going_pieces; /* of it that are left */
	char path[320];
	uint8_t *piece; /* FILES_PIECE_BYTES */
};

/* Opens (and makes) the file; a damaged or foreign one is emptied. */
nodiscard int files_open(struct files *files, struct loop *loop, const char *path,
			 struct err *err);
void files_close(struct files *files);

/* --- writing ----------------------------------------------------------------------------- */

/* The files of one execution. */
struct files_keep {
	struct files_job job;
	char execution_id[LIMIT_ID_CHARS + 1];
	char tenant[LIMIT_NAME_BYTES + 1];
	uint64_t expires_ms;
	int bundle_fd;		   /* borrowed: where their content lies */
	struct outcome_file *list; /* owned */
	size_t count;
	size_t at;	 /* the file being written */
	uint64_t id;	 /* its row; 0: not begun */
	uint64_t offset; /* in it */
};

/* Appends one to keep->list; the offsets have been checked. */
nodiscard int files_keep_add(struct files_keep *keep, const struct outcome_file *file,
			     struct err *err);
/* Writes them all; job.done is set by the caller. */
void files_keep_start(struct files *files, struct files_keep *keep);
/* Frees the list; what was not written whole goes. Legal at any time. */
void files_keep_stop(struct files_keep *keep);

/* --- reading ----------------------------------------------------------------------------- */

/* 1: *ret is the file; 0: there is none, or not any more. */
nodiscard int files_find(struct files *files, const char *execution_id, const char *path,
			 uint64_t now_ms, struct file_facts *ret, struct err *err);

struct files_read {
	struct files_job job;
	struct file_facts facts;
	uint64_t ask_id;
	uint64_t offset; /* of the next piece */
	uint64_t end;
	uint64_t reserved; /* of reading_bytes */
	int fd;		   /* owned: the memfd it goes to */
};

/* Reads `length` bytes into a memfd. NULL: too much is being read. Freed by its `done`. */
struct files_read *files_read_start(struct files *files, const struct file_facts *facts,
				    uint64_t offset, uint64_t length, uint64_t ask_id,
				    void (*done)(struct files_job *job, const struct err *err));
/* Drops all reads: the gate that asked is gone. */
void files_read_stop_all(struct files *files);
void files_read_free(struct files_read *read);

/* The files of an execution are given out no more. */
nodiscard int files_forget(struct files *files, const char *execution_id, struct err *err);

/* Begins to delete what has expired or is above `bytes_max`; once a second. */
void files_tick(struct files *files, uint64_t bytes_max);

#endif
