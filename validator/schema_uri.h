/* validator/schema_uri.h - references to documents (RFC 3986, section 5.2). */
#ifndef VALIDATOR_SCHEMA_URI_H
#define VALIDATOR_SCHEMA_URI_H

#include "base/own.h"

/* A URI of a schema, bytes; longer ones are refused. */
#define SCHEMA_URI_MAX 4096

/* Resolves `reference` against `base` (absolute, or "" when there is none). The result has no
 * fragment; `ret_fragment` points into `reference`, at what follows "#", or at "". -ENOMEM, or
 * -EINVAL: too long. */
nodiscard int uri_resolve(const char *base, const char *reference, char **ret_uri,
			  const char **ret_fragment);

/* Decodes %XX in place; false when a byte is NUL or the escape is broken. */
int uri_decode(char *text);

#endif
