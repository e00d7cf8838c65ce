/*
 * server/ledger/config.h - who may do what: tenants, principals, retention.
 *
 * The supervisor sends a whole configuration message by message; it is collected aside and
 * comes into force at once, or not at all. Tenants keep their buckets and counters over a
 * reload.
 */
#ifndef SERVER_LEDGER_CONFIG_H
#define SERVER_LEDGER_CONFIG_H

#include "base/chan.h"
#include "schema/wire/setup.h"
#include "server/ledger/bucket.h"
#include "server/ledger/digest.h"

#define CONFIG_ENTRIES_MAX 20000 /* tenants, principals; the schema allows half of it */

struct tenant {
	struct tenant *next;
	struct setup_tenant limits;
	struct bucket bucket;
	uint32_t running; /* from admission until the answer has left */
	uint64_t turn;	  /* when a validator last got a check of it; 0: never */
	bool is_current;  /* in the configuration in force; others go when nothing uses them */
};

struct principal {
	struct setup_principal entry;
	struct tenant *tenant;
	size_t order; /* of the configuration */
};

struct config {
	struct setup_ledger_config ledger;
	struct tenant *tenants;	     /* owned list */
	struct principal *exact;     /* owned, sorted by kind and pattern */
	struct principal *wildcards; /* owned, in the order of the configuration */
	size_t exact_count, wildcard_count, tenant_count;
	uint8_t sha256[DIGEST_BYTES]; /* over all messages it came from, and the policies */
};

/* What has arrived since the last commit. */
struct staging {
	bool has_ledger;
	struct setup_ledger_config ledger;
	struct setup_tenant *tenants;	    /* owned */
	struct setup_principal *principals; /* owned */
	size_t tenant_count, principal_count;
	uint8_t sha256[DIGEST_BYTES];
};

/* `policies`: what the message brought as text; it is hashed only. */
nodiscard int staging_ledger(struct staging *staging, const struct msg *msg,
			     const struct span *policies, struct err *err);
nodiscard int staging_tenant(struct staging *staging, const struct msg *msg, struct err *err);
nodiscard int staging_principal(struct staging *staging, const struct msg *msg,
				struct err *err);
void staging_done(struct staging *staging);

/* Checks what was staged and puts it into force; on failure `config` is as before. `staging` is
 * empty afterwards either way. */
nodiscard int config_commit(struct config *config, struct staging *staging, uint64_t now_us,
			    struct err *err);
void config_done(struct config *config);

/* Whom the identity is mapped to: an exact pattern before any wildcard, the first otherwise.
 * NULL: nobody. */
const struct principal *config_find(const struct config *config, uint8_t kind,
				    const char *identity);

/* Lets go of a tenant that a reload has removed and nobody uses any more. */
void config_release(struct config *config, struct tenant *tenant);

#endif
