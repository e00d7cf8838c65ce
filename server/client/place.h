/*
 * server/client/place.h - where a service is and who calls it, for the commands that are its
 * clients (server/client is a library, not a program).
 *
 * What the command line does not name comes from the environment ($CASEMATE_URL, $CASEMATE_PKI,
 * $VAR), then from what a service started in this folder leaves behind.
 */
#ifndef SERVER_CLIENT_PLACE_H
#define SERVER_CLIENT_PLACE_H

#include <getopt.h>
#include <limits.h>
#include <stdbool.h>

#include "base/err.h"

#define PLACE_URL_MAX 1024 /* bytes with NUL; a host name has at most 253 */

struct place {
	char url[PLACE_URL_MAX]; /* without a slash at its end */
	char certificate[PATH_MAX];
	char key[PATH_MAX];
	char authority[PATH_MAX];
};

/* What the options name; NULL: not named. */
struct place_given {
	const char *url;
	const char *pki;
	const char *certificate;
	const char *key;
	const char *authority;
};

/* The options that name them, alike in every command: first in its table of long options, with
 * numbers below those of its own. */
enum {
	PLACE_OPTION_URL = 1,
	PLACE_OPTION_PKI,
	PLACE_OPTION_CERT,
	PLACE_OPTION_KEY,
	PLACE_OPTION_CACERT,
	PLACE_OPTIONS_END
};

#define PLACE_OPTIONS                                                  \
	{"url", required_argument, NULL, PLACE_OPTION_URL},            \
		{"pki", required_argument, NULL, PLACE_OPTION_PKI},    \
		{"cert", required_argument, NULL, PLACE_OPTION_CERT},  \
		{"key", required_argument, NULL, PLACE_OPTION_KEY},    \
	{                                                              \
		"cacert", required_argument, NULL, PLACE_OPTION_CACERT \
	}

/* False: the option is none of them. `value` is borrowed. */
bool place_take_option(struct place_given *given, int option, const char *value);

nodiscard int place_fill(const struct place_given *given, struct place *ret, struct err *err);

#endif
