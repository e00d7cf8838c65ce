/*
 * server/front/keys.h - certificates, keys and CRLs from sealed memfds into a TLS context.
 *
 * The operator's files are trusted but often wrong, so each fault is named with its remedy. The
 * private key is parsed straight from the mapping into OpenSSL's secure heap.
 */
#ifndef SERVER_FRONT_KEYS_H
#define SERVER_FRONT_KEYS_H

#include <openssl/ssl.h>

#include "base/err.h"

#define KEYS_PEM_BYTES_MAX (8u << 20) /* a CRL with 100,000 entries has 5 MB */

nodiscard int keys_load_own(SSL_CTX *context, int chain_fd, int key_fd, struct err *err);
nodiscard int keys_load_client_ca(SSL_CTX *context, int fd, struct err *err);
/* After keys_load_client_ca. From now on a client without a valid CRL entry is refused. */
nodiscard int keys_load_crl(SSL_CTX *context, int fd, struct err *err);

#endif
