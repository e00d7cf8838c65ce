/*
 * server/ledger/migrate.h - brings the schema of the database up to date.
 *
 * The files are read before the process confines itself; what they hold is applied, and
 * compared with what was applied before, when the database is open. A file that changed or is
 * missing, or a migration this release does not know, is an error: the service would run on a
 * schema that nobody has tested.
 */
#ifndef SERVER_LEDGER_MIGRATE_H
#define SERVER_LEDGER_MIGRATE_H

#include "server/ledger/database.h"

#define MIGRATION_NAME_BYTES 127
#define MIGRATION_FILE_BYTES (1u << 20) /* far above any schema change */

struct migration {
	char name[MIGRATION_NAME_BYTES + 1];
	char *text; /* owned */
	size_t length;
	uint8_t sha256[DIGEST_BYTES];
};

struct migrations {
	struct migration *list; /* owned; entry i has number i + 1 */
	size_t count;
};

/* Reads NNNN_what.sql from the folder. Numbers start at 1 without a gap. */
nodiscard int migrations_read(int folder_fd, struct migrations *ret, struct err *err);

/* The folder that belongs to this program: ../../share/casemate/migrations beside its own file.
 */
nodiscard int migrations_read_own(struct migrations *ret, struct err *err);
void migrations_done(struct migrations *migrations);

#define own_migrations __attribute__((cleanup(migrations_done))) struct migrations

/* Checks what was applied, applies the rest, each in one transaction. `said` (may be NULL) is
 * called for each that was applied. */
nodiscard int migrations_apply(const struct migrations *migrations, struct database *db,
			       void (*said)(const char *name), struct err *err);

#endif
