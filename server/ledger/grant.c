#include "server/ledger/grant.h"

#include <stddef.h>
#include <stdio.h>

#include "server/ledger/flow.h"
#include "server/ledger/ledger.h"

struct limit_row {
	const char *name;
	size_t at;	   /* in struct request_good */
	size_t ceiling;	   /* in struct setup_tenant */
	size_t of_runtime; /* in struct warden_runtime; NO_DEFAULT: a runtime has none */
	uint64_t fallback;
	uint64_t low;
};

#define NO_DEFAULT SIZE_MAX

#define LIMIT_ROW(name, NAME, runtime_at)           \
	{#name,                                     \
	 offsetof(struct request_good, name),       \
	 offsetof(struct setup_tenant, name##_max), \
	 runtime_at,                                \
	 LIMIT_##NAME##_DEFAULT,                    \
	 LIMIT_##NAME##_MIN},
#define RUNTIME_LIMIT_ROW(name, NAME) \
	LIMIT_ROW(name, NAME, offsetof(struct warden_runtime, name))

static const struct limit_row limit_rows[] = {RUNTIME_LIMIT_LIST(RUNTIME_LIMIT_ROW) LIMIT_ROW(
	workspace_bytes, WORKSPACE_BYTES, NO_DEFAULT)};

static uint64_t *limit_at(void *base, size_t offset)
{
	return (uint64_t *)(void *)((char *)base + offset);
}

/* What a request that leaves the limit out gets, where its tenant may have so much. */
static uint64_t default_of(const struct limit_row *row, struct runtime *runtime)
{
	uint64_t special =
		row->of_runtime == NO_DEFAULT ? 0 : *limit_at(&runtime->told, row->of_runtime);

	return special > 0 ? special : row->fallback;
}

/* Fills in defaults below the tenant's ceilings. The validator has compared what was asked with
 * them already; it is not believed. */
bool grant_limits(struct execution *e)
{
	struct runtime *runtime = warden_runtime_find(&e->ledger->warden, e->request.language);

	for (size_t i = 0; i < ARRAY_COUNT(limit_rows); i++) {
		const struct limit_row *row = &limit_rows[i];
		uint64_t *limit = limit_at(&e->request, row->at);
		uint64_t ceiling = *limit_at(&e->tenant->limits, row->ceiling);

		if (*limit == 0) {
			*limit = default_of(row, runtime);
			*limit = *limit < ceiling ? *limit : ceiling;
		}
		if (*limit >= row->low && *limit <= ceiling)
			continue;
		flow_refuse(e, PROBLEM_ABOVE_CEILING, 0, "Ask for less, or leave it out.",
			    "limits.%s is %llu; tenant %s may ask for %llu to %llu", row->name,
			    (unsigned long long)*limit, e->tenant->limits.name,
			    (unsigned long long)row->low, (unsigned long long)ceiling);
		return false;
	}
	return true;
}

static void refuse_unknown_runtime(struct execution *e)
{
	const struct warden *warden = &e->ledger->warden;
	char names[256] = "";
	size_t at = 0;

	for (size_t i = 0; i < warden->runtime_count && at < sizeof(names); i++)
		if (warden->runtimes[i].is_announced &&
		    warden->runtimes[i].told.missing[0] == '\0')
			at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s",
					       at > 0 ? ", " : "",
					       warden->runtimes[i].told.name);
	flow_refuse(e, PROBLEM_UNKNOWN_RUNTIME, 0,
		    "Use one of the languages named in the detail.",
		    "there is no runtime \"%s\"; there are: %s", e->request.language, names);
}

bool grant_runtime(struct execution *e)
{
	struct runtime *runtime = warden_runtime_find(&e->ledger->warden, e->request.language);

	if (runtime != NULL && runtime->is_announced) {
		if (runtime->told.missing[0] == '\0')
			return true;
		flow_refuse(e, PROBLEM_UNKNOWN_RUNTIME, 0,
			    "Use another language; GET /v1/runtimes lists them.",
			    "the runtime \"%s\" cannot be used here: %s", e->request.language,
			    runtime->told.missing);
		return false;
	}
	if (warden_runtime_may_come(&e->ledger->warden, runtime))
		flow_refuse(e, PROBLEM_UNAVAILABLE, 1, "Try again in a second.",
			    "the runtime is starting");
	else
		refuse_unknown_runtime(e);
	return false;
}
