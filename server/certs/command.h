/*
 * server/certs/command.h - the subcommands of `casemate certs`. They print what they did on
 * standard output and return 0 or a negative errno with a text for a person.
 */
#ifndef SERVER_CERTS_COMMAND_H
#define SERVER_CERTS_COMMAND_H

#include "server/certs/store.h"

#define CERTS_NAME_MAX	      64
#define CERTS_CA_DAYS	      3650
#define CERTS_DAYS_DEFAULT    365
#define CERTS_SERVER_DAYS_MAX 825 /* several TLS clients refuse longer-lived servers */
#define CERTS_RENEW_DAYS      30  /* --renew replaces what ends within this time */
/* A development CA has nobody who would renew its list every week; revoking rewrites it anyway.
 */
#define CERTS_CRL_DAYS 365

struct certs_options {
	const char *pki;
	const char *name; /* of issue and revoke */
	const char *role;
	const char *uri;
	const char *hosts[MAKE_NAMES_MAX]; /* --host of init, --dns of issue */
	size_t host_count;
	unsigned days;	   /* 0: the default */
	time_t not_before; /* 0: five minutes ago */
	time_t not_after;  /* 0: `days` from now */
	bool is_server;
	bool is_common_name;
	bool is_forced;
	bool is_renewing;
};

nodiscard int certs_init(const struct certs_options *options, struct err *err);
nodiscard int certs_issue(const struct certs_options *options, struct err *err);
nodiscard int certs_revoke(const struct certs_options *options, struct err *err);
nodiscard int certs_crl(const struct certs_options *options, struct err *err);

/* Pure checks: NULL when good, else what is wrong. */
const char *certs_name_fault(const char *name);
const char *certs_role_fault(const char *role);
const char *certs_uri_fault(const char *uri);
const char *certs_host_fault(const char *host);

/* Seconds since 1970 of "2026-01-02T03:04:05Z"; -1 when it is no such time. */
time_t certs_time(const char *text);

/* not_before and not_after as the options say. */
nodiscard int certs_dates(const struct certs_options *options, struct make_certificate *ret,
			  struct err *err);

#endif
