/*
 * server/certs/store.h - the folder of PEM files. A file appears whole or not at all: it is
 * written under another name, synchronised and renamed. Keys have mode 0600 from birth.
 */
#ifndef SERVER_CERTS_STORE_H
#define SERVER_CERTS_STORE_H

#include <limits.h>
#include <stdbool.h>

#include "server/certs/make.h"

struct store {
	char path[PATH_MAX]; /* as the user gave it, for messages */
	int fd;		     /* owned, O_DIRECTORY */
};

/* Opens the folder; makes it and its parents when `is_made`. */
nodiscard int store_open(struct store *store, const char *path, bool is_made, struct err *err);
void store_close(struct store *store);

bool store_has(const struct store *store, const char *name, const char *suffix);

/* NAME.crt and NAME.key. The key is written first: a certificate without its key is useless. */
nodiscard int store_save_pair(const struct store *store, const char *name,
			      const struct make_pair *pair, struct err *err);
/* Checks that the two belong together. */
nodiscard int store_load_pair(const struct store *store, const char *name,
			      struct make_pair *ret, struct err *err);
nodiscard int store_load_certificate(const struct store *store, const char *name, X509 **ret,
				     struct err *err);

nodiscard int store_save_crl(const struct store *store, X509_CRL *crl, struct err *err);
/* *ret is NULL and the result 0 when there is no file. */
nodiscard int store_load_crl(const struct store *store, X509_CRL **ret, struct err *err);

#endif
