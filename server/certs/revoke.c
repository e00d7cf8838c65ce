#include <stdio.h>

#include "server/certs/command.h"

/* Writes the list anew, with one certificate more when `revoked` is not NULL. */
static int rewrite(const struct store *store, X509 *revoked, struct err *err)
{
	own_pair ca = {0};
	X509_CRL *old = NULL;
	X509_CRL *fresh = NULL;
	int status = store_load_pair(store, "ca", &ca, err);

	if (status == 0)
		status = store_load_crl(store, &old, err);
	/* Signed anew by us, a forged list would become true. */
	if (status == 0 && old != NULL && X509_CRL_verify(old, ca.key) != 1)
		status =
			err_set(err, EINVAL, "%s/crl.pem is not signed by this folder's ca.crt",
				store->path);
	if (status == 0 && revoked != NULL && X509_verify(revoked, ca.key) != 1)
		status =
			err_set(err, EINVAL,
				"the certificate is not signed by this folder's ca.crt, so its "
				"list cannot revoke it");
	if (status == 0)
		status = make_crl(&ca, old, revoked, CERTS_CRL_DAYS, &fresh, err);
	if (status == 0)
		status = store_save_crl(store, fresh, err);
	X509_CRL_free(old);
	X509_CRL_free(fresh);
	return status;
}

static int revoke_in(const struct store *store, const struct certs_options *options,
		     struct err *err)
{
	X509 *revoked = NULL;
	int status = store_load_certificate(store, options->name, &revoked, err);

	if (status == 0)
		status = rewrite(store, revoked, err);
	X509_free(revoked);
	if (status == 0)
		(void)printf(
			"revoked %s in %s/crl.pem; a running service learns it at the next "
			"reload (SIGHUP)\n",
			options->name, store->path);
	return status;
}

int certs_revoke(const struct certs_options *options, struct err *err)
{
	struct store store = {.fd = -1};
	int status = store_open(&store, options->pki, false, err);

	if (status == 0)
		status = revoke_in(&store, options, err);
	store_close(&store);
	return status;
}

int certs_crl(const struct certs_options *options, struct err *err)
{
	struct store store = {.fd = -1};
	int status = store_open(&store, options->pki, false, err);

	if (status == 0)
		status = rewrite(&store, NULL, err);
	if (status == 0)
		(void)printf("made %s/crl.pem anew, valid for %d days\n", store.path,
			     CERTS_CRL_DAYS);
	store_close(&store);
	return status;
}
