#include "server/ledger/config.h"

#include <string.h>
#include <strings.h>

#include "server/ledger/principal.h"

static void staging_hash_bytes(struct staging *staging, const void *data, size_t length)
{
	const struct span parts[] = {
		{.data = (const char *)staging->sha256, .length = DIGEST_BYTES},
		{.data = data, .length = length},
	};

	digest_parts(parts, ARRAY_COUNT(parts), staging->sha256);
}

static void staging_hash(struct staging *staging, const struct msg *msg)
{
	staging_hash_bytes(staging, msg->body, msg->length);
}

int staging_ledger(struct staging *staging, const struct msg *msg, const struct span *policies,
		   struct err *err)
{
	int status = setup_ledger_config_decode(msg->body, msg->length, &staging->ledger, err);

	if (status < 0)
		return status;
	if (strchr(staging->ledger.database, '/') != NULL || staging->ledger.database[0] == '.')
		return err_set(err, EINVAL, "database '%s' is not a plain file name",
			       staging->ledger.database);
	staging->has_ledger = true;
	staging_hash(staging, msg);
	staging_hash_bytes(staging, policies->data, policies->length);
	return 0;
}

/* Room for one more of `size` bytes; the lists grow by doubling. */
static int staging_grow(void **list, size_t count, size_t size, struct err *err)
{
	void *grown;

	if (count >= CONFIG_ENTRIES_MAX)
		return err_set(err, E2BIG, "more than %d entries", CONFIG_ENTRIES_MAX);
	if (count != 0 && (count < 16 || (count & (count - 1)) != 0))
		return 0;
	grown = realloc(*list, (count < 16 ? 16 : 2 * count) * size);
	if (grown == NULL)
		return err_errno(err, ENOMEM, "configuration");
	*list = grown;
	return 0;
}

int staging_tenant(struct staging *staging, const struct msg *msg, struct err *err)
{
	void *list = staging->tenants;
	int status = staging_grow(&list, staging->tenant_count, sizeof(*staging->tenants), err);

	staging->tenants = list;
	if (status == 0)
		status = setup_tenant_decode(msg->body, msg->length,
					     &staging->tenants[staging->tenant_count], err);
	if (status < 0)
		return status;
	staging->tenant_count++;
	staging_hash(staging, msg);
	return 0;
}

int staging_principal(struct staging *staging, const struct msg *msg, struct err *err)
{
	void *list = staging->principals;
	int status = staging_grow(&list, staging->principal_count, sizeof(*staging->principals),
				  err);

	staging->principals = list;
	if (status == 0)
		status = setup_principal_decode(msg->body, msg->length,
						&staging->principals[staging->principal_count],
						err);
	if (status < 0)
		return status;
	staging->principal_count++;
	staging_hash(staging, msg);
	return 0;
}

void staging_done(struct staging *staging)
{
	free(staging->tenants);
	free(staging->principals);
	*staging = (struct staging){0};
}

static int tenant_order(const void *a, const void *b)
{
	return strcmp(((const struct setup_tenant *)a)->name,
		      ((const struct setup_tenant *)b)->name);
}

static int staging_check(struct staging *staging, struct err *err)
{
	if (!staging->has_ledger)
		return err_set(err, EPROTO, "the ledger's own configuration is missing");
	qsort(staging->tenants, staging->tenant_count, sizeof(*staging->tenants), tenant_order);
	for (size_t i = 1; i < staging->tenant_count; i++)
		if (strcmp(staging->tenants[i - 1].name, staging->tenants[i].name) == 0)
			return err_set(err, EEXIST, "tenant '%s' is there twice",
				       staging->tenants[i].name);
	for (size_t i = 0; i < staging->principal_count; i++) {
		const struct setup_principal *principal = &staging->principals[i];
		struct setup_tenant key = {0};
		int status = principal_check(principal->identity_kind, principal->pattern, err);

		if (status < 0)
			return status;
		memcpy(key.name, principal->tenant, sizeof(key.name));
		if (bsearch(&key, staging->tenants, staging->tenant_count,
			    sizeof(*staging->tenants), tenant_order) == NULL)
			return err_set(err, ENOENT, "principal '%s': there is no tenant '%s'",
				       principal->pattern, principal->tenant);
	}
	return 0;
}

static struct tenant *tenant_find(const struct config *config, const char *name)
{
	struct tenant *tenant = config->tenants;

	while (tenant != NULL && strcmp(tenant->limits.name, name) != 0)
		tenant = tenant->next;
	return tenant;
}

static int pattern_order(uint8_t kind_a, const char *a, uint8_t kind_b, const char *b)
{
	if (kind_a != kind_b)
		return kind_a < kind_b ? -1 : 1;
	return kind_a == IDENTITY_DNS ? strcasecmp(a, b) : strcmp(a, b);
}

static int principal_order(const void *left, const void *right)
{
	const struct principal *a = left;
	const struct principal *b = right;
	int order = pattern_order(a->entry.identity_kind, a->entry.pattern,
				  b->entry.identity_kind, b->entry.pattern);

	if (order != 0)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* All memory a commit needs, so that nothing can fail once the swap has begun. */
struct fresh {
	struct tenant **tenants; /* one for each staged tenant that is new */
	struct principal *exact;
	struct principal *wildcards;
};

static void fresh_done(struct fresh *fresh, size_t count)
{
	for (size_t i = 0; fresh->tenants != NULL && i < count; i++)
		free(fresh->tenants[i]);
	free(fresh->tenants);
	free(fresh->exact);
	free(fresh->wildcards);
}

static int fresh_init(struct fresh *fresh, const struct config *config,
		      const struct staging *staging, struct err *err)
{
	size_t count = staging->tenant_count;

	*fresh = (struct fresh){
		.tenants = calloc(count + 1, sizeof(struct tenant *)),
		.exact = calloc(staging->principal_count + 1, sizeof(struct principal)),
		.wildcards = calloc(staging->principal_count + 1, sizeof(struct principal)),
	};
	if (fresh->tenants == NULL || fresh->exact == NULL || fresh->wildcards == NULL)
		return err_errno(err, ENOMEM, "configuration");
	for (size_t i = 0; i < count; i++) {
		if (tenant_find(config, staging->tenants[i].name) != NULL)
			continue;
		fresh->tenants[i] = calloc(1, sizeof(struct tenant));
		if (fresh->tenants[i] == NULL)
			return err_errno(err, ENOMEM, "configuration");
	}
	return 0;
}

static void commit_tenants(struct config *config, const struct staging *staging,
			   struct fresh *fresh, uint64_t now_us)
{
	for (struct tenant *tenant = config->tenants; tenant != NULL; tenant = tenant->next)
		tenant->is_current = false;
	for (size_t i = 0; i < staging->tenant_count; i++) {
		const struct setup_tenant *limits = &staging->tenants[i];
		struct tenant *tenant = mem_take(&fresh->tenants[i]);

		if (tenant != NULL) {
			bucket_init(&tenant->bucket, limits->rate_per_minute, now_us);
			tenant->next = config->tenants;
			config->tenants = tenant;
		} else {
			tenant = tenant_find(config, limits->name);
			bucket_set_rate(&tenant->bucket, limits->rate_per_minute, now_us);
		}
		tenant->limits = *limits;
		tenant->is_current = true;
	}
	config->tenant_count = staging->tenant_count;
}

static void commit_principals(struct config *config, const struct staging *staging,
			      struct fresh *fresh)
{
	free(config->exact);
	free(config->wildcards);
	config->exact = mem_take(&fresh->exact);
	config->wildcards = mem_take(&fresh->wildcards);
	config->exact_count = 0;
	config->wildcard_count = 0;
	for (size_t i = 0; i < staging->principal_count; i++) {
		const struct setup_principal *entry = &staging->principals[i];
		struct principal principal = {.entry = *entry, .order = i};

		principal.tenant = tenant_find(config, entry->tenant);
		if (principal_is_wildcard(entry->pattern))
			config->wildcards[config->wildcard_count++] = principal;
		else
			config->exact[config->exact_count++] = principal;
	}
	qsort(config->exact, config->exact_count, sizeof(*config->exact), principal_order);
}

static void drop_unused_tenants(struct config *config)
{
	struct tenant *tenant = config->tenants;

	while (tenant != NULL) {
		struct tenant *next = tenant->next;

		config_release(config, tenant);
		tenant = next;
	}
}

int config_commit(struct config *config, struct staging *staging, uint64_t now_us,
		  struct err *err)
{
	struct fresh fresh = {0};
	int status = staging_check(staging, err);

	if (status == 0)
		status = fresh_init(&fresh, config, staging, err);
	if (status == 0) {
		config->ledger = staging->ledger;
		memcpy(config->sha256, staging->sha256, DIGEST_BYTES);
		commit_tenants(config, staging, &fresh, now_us);
		commit_principals(config, staging, &fresh);
		drop_unused_tenants(config);
	}
	fresh_done(&fresh, staging->tenant_count);
	staging_done(staging);
	return status;
}

void config_done(struct config *config)
{
	while (config->tenants != NULL) {
		struct tenant *tenant = config->tenants;

		config->tenants = tenant->next;
		free(tenant);
	}
	free(config->exact);
	free(config->wildcards);
	*config = (struct config){0};
}

void config_release(struct config *config, struct tenant *tenant)
{
	struct tenant **link = &config->tenants;

	if (tenant->is_current || tenant->running > 0)
		return;
	while (*link != NULL && *link != tenant)
		link = &(*link)->next;
	if (*link == tenant)
		*link = tenant->next;
	free(tenant);
}

/* The first of equal patterns, which comes first in the configuration too. */
static const struct principal *find_exact(const struct config *config, uint8_t kind,
					  const char *identity)
{
	size_t low = 0;
	size_t high = config->exact_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct setup_principal *entry = &config->exact[middle].entry;

		if (pattern_order(entry->identity_kind, entry->pattern, kind, identity) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < config->exact_count &&
	    pattern_order(config->exact[low].entry.identity_kind,
			  config->exact[low].entry.pattern, kind, identity) == 0)
		return &config->exact[low];
	return NULL;
}

const struct principal *config_find(const struct config *config, uint8_t kind,
				    const char *identity)
{
	const struct principal *found = find_exact(config, kind, identity);

	for (size_t i = 0; found == NULL && i < config->wildcard_count; i++) {
		const struct principal *principal = &config->wildcards[i];

		if (principal->entry.identity_kind == kind &&
		    principal_matches(kind, principal->entry.pattern, identity))
			found = principal;
	}
	return found;
}
