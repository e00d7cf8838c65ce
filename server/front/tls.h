/*
 * server/front/tls.h - the TLS side of the front: a server context from key material, and what
 * a failed handshake means.
 *
 * TLS 1.3, 1.2 only when allowed; a verified client certificate is required; no resumption, so
 * every connection is checked against dates and CRL; no renegotiation, no compression, no early
 * data; HTTP/1.1 is the only protocol offered. OpenSSL reads no file and no environment.
 */
#ifndef SERVER_FRONT_TLS_H
#define SERVER_FRONT_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "base/err.h"
#include "schema/wire/front_gate.h"

/* Sealed memfds with PEM; borrowed. crl is -1 when no CRL is configured. */
struct tls_keys {
	int chain, key, client_ca, crl;
};

/* What the verification of one handshake saw; attached with SSL_set_app_data(). */
struct tls_info {
	char subject[LIMIT_IDENTITY_BYTES + 1]; /* claimed, not proven */
	int verify_error;			/* X509_V_ERR_*, X509_V_OK when none */
};

/* Once, before confinement: private keys live in a heap that is neither swapped nor dumped.
 * Sized for `connections_max`. *ret_is_locked: the memory limit allowed mlock(2). */
nodiscard int tls_init(size_t connections_max, bool *ret_is_locked, struct err *err);

/* A new context, freed by the caller with SSL_CTX_free(). Refuses an expired or unfit own
 * certificate, a key that does not belong to it, and an expired CRL, with the remedy. */
nodiscard int tls_context_new(const struct tls_keys *keys, bool tls12_allowed, SSL_CTX **ret,
			      struct err *err);

/* Judges the certificate of an established connection anew, by the CAs and CRLs of `context`:
 * X509_V_OK, or X509_V_ERR_*. */
int tls_judge(SSL_CTX *context, SSL *ssl);

/* When the first certificate of its verified chain ends, Unix seconds. */
int64_t tls_good_until(const SSL *ssl);

nodiscard int tls_allow_tls12(SSL_CTX *context, bool is_allowed, struct err *err);

/* Why the handshake failed, from OpenSSL's error queue, which it leaves as it is. *ret_detail
 * is a static text for the log. */
uint8_t tls_refusal(const struct tls_info *info, const char **ret_detail);

/* True when a CRL of ours is the reason, not the client. */
bool tls_is_crl_fault(int verify_error);

#endif
