/*
 * server/certs/make.h - keys, certificates and CRLs in memory (libcrypto): P-256, SHA-256,
 * random 128-bit serial numbers, RFC 5280 extensions.
 */
#ifndef SERVER_CERTS_MAKE_H
#define SERVER_CERTS_MAKE_H

#include <openssl/x509.h>
#include <stddef.h>
#include <time.h>

#include "base/err.h"

#define MAKE_NAMES_MAX 32 /* names in one certificate */

enum make_usage { MAKE_CA, MAKE_SERVER, MAKE_CLIENT };

struct make_certificate {
	enum make_usage usage;
	const char *common_name;
	const char *uri;		   /* NULL: none */
	const char *hosts[MAKE_NAMES_MAX]; /* DNS names and IP addresses */
	size_t host_count;
	time_t not_before;
	time_t not_after;
};

/* A certificate with its key; `make_pair_done` frees both. */
struct make_pair {
	X509 *certificate;
	EVP_PKEY *key;
};

void make_pair_done(struct make_pair *pair);
#define own_pair __attribute__((cleanup(make_pair_done))) struct make_pair

/* `issuer` NULL: self-signed. An end before the issuer's own is kept, a later one is cut. */
nodiscard int make_pair_new(const struct make_certificate *wanted,
			    const struct make_pair *issuer, struct make_pair *ret,
			    struct err *err);

/* A CRL valid for `days` from now with the entries of `old` (NULL: none) and, when not NULL,
 * with `revoked` added once. */
nodiscard int make_crl(const struct make_pair *issuer, X509_CRL *old, X509 *revoked,
		       unsigned days, X509_CRL **ret, struct err *err);

/* True when the CRL lists the certificate. */
int make_crl_has(X509_CRL *crl, X509 *certificate);

#endif
