/*
 * server/front/identity.h - whom a verified client certificate names.
 *
 * Order: the SPIFFE ID among the URI names, else the first DNS name, else the common name. A
 * name that is present but unusable ends the search: falling through to a weaker name would let
 * the holder of an odd certificate choose who he is. Then there is no identity, `fault` says
 * why, and the ledger grants nothing.
 */
#ifndef SERVER_FRONT_IDENTITY_H
#define SERVER_FRONT_IDENTITY_H

#include <openssl/x509.h>
#include <stdint.h>

#include "schema/limits.h"
#include "schema/status.h"

struct identity {
	uint8_t kind; /* enum identity_kind, 0: none */
	char text[LIMIT_IDENTITY_BYTES + 1];
	const char *fault; /* static text; NULL when there is an identity */
};

/* The certificate must have been verified before; this only reads names. */
void identity_of(const X509 *certificate, struct identity *ret);

/* Why the `length` bytes are no identity of this kind; NULL when they are. Bytes may contain
 * NUL, which is always a fault. */
const char *identity_spiffe_fault(const char *text, size_t length);
const char *identity_dns_fault(const char *text, size_t length);
const char *identity_cn_fault(const char *text, size_t length);

/* The subject as one printable ASCII line (RFC 2253, escaped), cut to fit; for records only. */
void identity_subject(const X509 *certificate, char ret[LIMIT_IDENTITY_BYTES + 1]);

/* The serial number in lower-case hexadecimal; empty when it is longer than 32 bytes. */
void identity_serial(const X509 *certificate, char ret[65]);

#endif
