/*
 * server/ledger/ulid.h - names of executions: 26 characters of Crockford's base32, 48 bits of
 * Unix milliseconds, then 80 random bits.
 *
 * Sorting names sorts by time, so the indexes of the database grow at their end. Names of one
 * millisecond are in no particular order, and nobody can guess one from another.
 */
#ifndef SERVER_LEDGER_ULID_H
#define SERVER_LEDGER_ULID_H

#include <stdbool.h>
#include <stdint.h>

#include "schema/limits.h"

/* Writes the name and its NUL. */
void ulid_encode(uint64_t time_ms, const uint8_t random[10], char ret[LIMIT_ID_CHARS + 1]);

/* Draws the random bits from the kernel. */
void ulid_new(uint64_t time_ms, char ret[LIMIT_ID_CHARS + 1]);

/* True for a name that ulid_encode could have written. */
bool ulid_is_valid(const char *text);

#endif
