/*
 * server/ledger/confine_ledger.h - how the ledger gives up everything but six files.
 *
 * The database, its log and the log's index, and the same of the file store, are made and given
 * away while there still are rights, and Landlock then allows these six and no folder: neither
 * the keys beside them, nor the configuration, nor a new file. SQLite keeps them for ever
 * (SQLITE_FCNTL_PERSIST_WAL).
 */
#ifndef SERVER_LEDGER_CONFINE_LEDGER_H
#define SERVER_LEDGER_CONFINE_LEDGER_H

#include "base/err.h"
#include "schema/wire/setup.h"

/* The file store lies beside the database, under its name with this behind it. */
#define CONFINE_FILES_SUFFIX "-files"

/* Confines and proves. Takes `take_folder_fd`, the state folder. Afterwards `ret_path` (300
 * bytes) is where the database can be opened. Any failure means exit. */
nodiscard int confine_ledger(const struct setup_hello *hello, int take_folder_fd,
			     const char *database, char ret_path[300], unsigned *ret_abi,
			     struct err *err);

#endif
