#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "server/certs/command.h"

#define NAME_CHARS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define CLOCK_SKEW_S 300
#define URI_MAX	     255 /* what the service takes as an identity */

const char *certs_name_fault(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > CERTS_NAME_MAX)
		return "a name has 1 to 64 characters";
	if (strspn(name, NAME_CHARS) != length)
		return "a name has letters, digits, '.', '_' and '-' only";
	if (name[0] == '.' || name[0] == '-')
		return "a name starts with a letter, a digit or '_'";
	if (strcmp(name, "ca") == 0)
		return "the name 'ca' is taken by the certificate authority";
	return NULL;
}

const char *certs_role_fault(const char *role)
{
	static const char *const roles[] = {"executor", "auditor", "operator"};

	for (size_t i = 0; i < ARRAY_COUNT(roles); i++)
		if (strcmp(role, roles[i]) == 0)
			return NULL;
	return "a role is one of executor, auditor, operator";
}

/* The service checks identities itself; here only slips are caught. */
const char *certs_uri_fault(const char *uri)
{
	const char *path;

	if (strncmp(uri, "spiffe://", 9) != 0)
		return "an identity URI looks like spiffe://domain/path";
	path = strchr(uri + 9, '/');
	if (path == NULL || path == uri + 9 || path[1] == '\0' || strlen(uri) > URI_MAX)
		return "an identity URI looks like spiffe://domain/path, 255 characters at "
		       "most";
	if (strspn(uri + 9, NAME_CHARS "/") != strlen(uri + 9))
		return "an identity URI has letters, digits, '.', '_', '-' and '/' only";
	return NULL;
}

const char *certs_host_fault(const char *host)
{
	unsigned char address[16];
	size_t length = strlen(host);

	if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
		return NULL;
	if (length == 0 || length > 253 || strspn(host, NAME_CHARS "*") != length)
		return "a host is a DNS name or an IP address";
	return NULL;
}

time_t certs_time(const char *text)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	return end != NULL && *end == '\0' ? timegm(&tm) : -1;
}

int certs_dates(const struct certs_options *options, struct make_certificate *ret,
		struct err *err)
{
	time_t now = time(NULL);
	unsigned days = options->days != 0 ? options->days : CERTS_DAYS_DEFAULT;

	/* Clocks of two machines differ a little; a new certificate must work at once. */
	ret->not_before = options->not_before != 0 ? options->not_before : now - CLOCK_SKEW_S;
	ret->not_after =
		options->not_after != 0 ? options->not_after : now + (time_t)days * 86400;
	if (ret->not_after <= ret->not_before)
		return err_set(err, EINVAL, "the certificate would end before it begins");
	if (options->is_server &&
	    ret->not_after - ret->not_before > (time_t)CERTS_SERVER_DAYS_MAX * 86400 + 86400)
		return err_set(err, EINVAL, "a server certificate lives %d days at most",
			       CERTS_SERVER_DAYS_MAX);
	return 0;
}
