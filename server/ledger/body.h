/*
 * server/ledger/body.h - the JSON bodies of records. No source text and no output is in them,
 * only hashes: the record must be keepable where the data may not be.
 */
#ifndef SERVER_LEDGER_BODY_H
#define SERVER_LEDGER_BODY_H

#include "server/ledger/execution.h"

#define BODY_BYTES_MAX (64 * 1024) /* far above any body; a bug ends here */

void body_accepted(const struct execution *e, struct buf *buf);
void body_finished(const struct execution *e, struct buf *buf);
void body_refused(const struct execution *e, struct buf *buf);

/* The answer's JSON members when no validator has made any: nothing was printed, and an error
 * of this name tells why. `findings` are members as they came from a validator, or empty. All
 * are written as an object; *ret is what lies between its braces, and lives as long as `buf`.
 */
nodiscard int body_empty_members(const char *name, const char *message,
				 const struct span *findings, struct buf *buf, struct span *ret,
				 struct err *err);

#endif
