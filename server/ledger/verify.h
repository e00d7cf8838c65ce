/*
 * server/ledger/verify.h - walks the chain of records and says how far it is intact.
 */
#ifndef SERVER_LEDGER_VERIFY_H
#define SERVER_LEDGER_VERIFY_H

#include "server/ledger/database.h"

struct verdict {
	bool is_intact;
	uint64_t intact;	    /* records from the first that are as they were written */
	uint8_t hash[DIGEST_BYTES]; /* of the last intact one */
	char reason[128];	    /* what is wrong with the next, empty when intact */
};

/* A broken chain is a verdict, not an error. */
nodiscard int verify_chain(struct database *db, struct verdict *ret, struct err *err);

#endif
