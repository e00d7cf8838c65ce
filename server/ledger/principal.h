/*
 * server/ledger/principal.h - does the identity of a certificate match a configured pattern?
 *
 * A pattern is an exact identity, or one in which exactly one label is "*" and stands for
 * exactly one non-empty label. Labels are the path segments of a SPIFFE ID (never its trust
 * domain), and the dot-separated parts of a DNS name or a common name. DNS names compare
 * without case.
 */
#ifndef SERVER_LEDGER_PRINCIPAL_H
#define SERVER_LEDGER_PRINCIPAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "schema/status.h"

/* 0 when the pattern is one of the two kinds above, else -EINVAL with what is wrong. */
nodiscard int principal_check(uint8_t kind, const char *pattern, struct err *err);

/* The pattern has been checked. */
bool principal_is_wildcard(const char *pattern);
bool principal_matches(uint8_t kind, const char *pattern, const char *identity);

#endif
