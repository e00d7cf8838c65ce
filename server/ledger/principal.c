#include "server/ledger/principal.h"

#include <string.h>
#include <strings.h>

#define SPIFFE_SCHEME "spiffe://"

static char separator(uint8_t kind)
{
	return kind == IDENTITY_SPIFFE ? '/' : '.';
}

/* Where labels that may be "*" begin: behind the trust domain of a SPIFFE ID. */
static const char *labels(uint8_t kind, const char *text)
{
	const char *slash;

	if (kind != IDENTITY_SPIFFE)
		return text;
	slash = strchr(text + strlen(SPIFFE_SCHEME), '/');
	return slash != NULL ? slash + 1 : text + strlen(text);
}

int principal_check(uint8_t kind, const char *pattern, struct err *err)
{
	const char *star = strchr(pattern, '*');
	const char *first;

	if (kind == IDENTITY_SPIFFE &&
	    strncmp(pattern, SPIFFE_SCHEME, strlen(SPIFFE_SCHEME)) != 0)
		return err_set(err, EINVAL, "principal '%s': a SPIFFE ID starts with %s",
			       pattern, SPIFFE_SCHEME);
	if (star == NULL)
		return 0;
	first = labels(kind, pattern);
	if (star < first)
		return err_set(err, EINVAL,
			       "principal '%s': the trust domain cannot be a wildcard",
			       pattern);
	if (strchr(star + 1, '*') != NULL)
		return err_set(err, EINVAL, "principal '%s': at most one wildcard", pattern);
	if ((star > first && star[-1] != separator(kind)) ||
	    (star[1] != '\0' && star[1] != separator(kind)))
		return err_set(err, EINVAL, "principal '%s': \"*\" stands for a whole label",
			       pattern);
	return 0;
}

bool principal_is_wildcard(const char *pattern)
{
	return strchr(pattern, '*') != NULL;
}

static bool is_equal(uint8_t kind, const char *a, const char *b, size_t length)
{
	return (kind == IDENTITY_DNS ? strncasecmp(a, b, length) : strncmp(a, b, length)) == 0;
}

bool principal_matches(uint8_t kind, const char *pattern, const char *identity)
{
	const char *star = strchr(pattern, '*');
	size_t before;
	size_t label;

	if (star == NULL)
		return strlen(pattern) == strlen(identity) &&
		       is_equal(kind, pattern, identity, strlen(identity));
	before = (size_t)(star - pattern);
	if (strlen(identity) <= before || !is_equal(kind, pattern, identity, before))
		return false;
	label = strcspn(identity + before, (const char[]){separator(kind), '\0'});
	if (label == 0)
		return false;
	identity += before + label;
	return strlen(identity) == strlen(star + 1) &&
	       is_equal(kind, star + 1, identity, strlen(identity));
}
