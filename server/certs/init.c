#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "server/certs/command.h"

#define CLIENT_URI "spiffe://casemate.local/client/dev"

static const char *const server_hosts[] = {"localhost", "127.0.0.1", "::1"};

static bool ends_within(const ASN1_TIME *end, unsigned days)
{
	time_t then = time(NULL) + (time_t)days * 86400;

	return end == NULL || X509_cmp_time(end, &then) <= 0;
}

static bool names_host(X509 *certificate, const char *host)
{
	return X509_check_host(certificate, host, 0, 0, NULL) == 1 ||
	       X509_check_ip_asc(certificate, host, 0) == 1;
}

static int make_ca(const struct store *store, struct make_pair *ret, struct err *err)
{
	time_t now = time(NULL);
	const struct make_certificate wanted = {
		.usage = MAKE_CA,
		.common_name = "Casemate development CA",
		.not_before = now - 300,
		.not_after = now + (time_t)CERTS_CA_DAYS * 86400,
	};
	int status = make_pair_new(&wanted, NULL, ret, err);

	if (status == 0)
		status = store_save_pair(store, "ca", ret, err);
	if (status == 0)
		(void)printf(
			"made %s/ca.crt and ca.key: a certificate authority for development\n",
			store->path);
	return status;
}

static int ensure_ca(const struct store *store, const struct certs_options *options,
		     struct make_pair *ret, bool *ret_is_new, struct err *err)
{
	bool has_certificate = store_has(store, "ca", "crt");
	bool has_key = store_has(store, "ca", "key");
	int status;

	*ret_is_new = options->is_forced || (!has_certificate && !has_key);
	if (*ret_is_new)
		return make_ca(store, ret, err);
	if (!has_certificate || !has_key)
		return err_set(err, EEXIST,
			       "%s has %s but not %s: put it back, or start over with --force",
			       store->path, has_key ? "ca.key" : "ca.crt",
			       has_key ? "ca.crt" : "ca.key");
	status = store_load_pair(store, "ca", ret, err);
	if (status == 0 && ends_within(X509_get0_notAfter(ret->certificate), 0))
		return err_set(err, EKEYEXPIRED,
			       "%s/ca.crt has expired: start over with --force, and give all "
			       "clients new certificates",
			       store->path);
	return status;
}

static int make_leaf(const struct store *store, const struct certs_options *options,
		     const struct make_pair *ca, bool is_server, struct err *err)
{
	struct make_certificate wanted = {
		.usage = is_server ? MAKE_SERVER : MAKE_CLIENT,
		.common_name = is_server ? "localhost" : "dev",
		.uri = is_server ? NULL : CLIENT_URI,
	};
	const char *name = is_server ? "server" : "client";
	own_pair made = {0};
	int status = certs_dates(options, &wanted, err);

	if (is_server) {
		memcpy(wanted.hosts, server_hosts, sizeof(server_hosts));
		wanted.host_count = ARRAY_COUNT(server_hosts);
		for (size_t i = 0; i < options->host_count; i++)
			if (wanted.host_count < MAKE_NAMES_MAX)
				wanted.hosts[wanted.host_count++] = options->hosts[i];
	}
	if (status == 0)
		status = make_pair_new(&wanted, ca, &made, err);
	if (status == 0)
		status = store_save_pair(store, name, &made, err);
	if (status == 0)
		(void)printf("made %s/%s.crt and %s.key%s%s\n", store->path, name, name,
			     is_server ? "" : ": identity ", is_server ? "" : CLIENT_URI);
	return status;
}

/* What speaks against the certificate that is there; NULL: it is good. */
static const char *leaf_fault(const struct make_pair *leaf, const struct make_pair *ca,
			      const struct certs_options *options, bool is_server)
{
	if (X509_verify(leaf->certificate, ca->key) != 1)
		return "is not signed by this folder's ca.crt";
	if (ends_within(X509_get0_notAfter(leaf->certificate), 0))
		return "has expired";
	for (size_t i = 0; is_server && i < options->host_count; i++)
		if (!names_host(leaf->certificate, options->hosts[i]))
			return "does not name every --host given";
	if (options->is_renewing &&
	    ends_within(X509_get0_notAfter(leaf->certificate), CERTS_RENEW_DAYS))
		return "expires soon";
	return NULL;
}

static int ensure_leaf(const struct store *store, const struct certs_options *options,
		       const struct make_pair *ca, bool is_server, struct err *err)
{
	const char *name = is_server ? "server" : "client";
	const char *fault;
	own_pair leaf = {0};
	int status;

	if (!store_has(store, name, "crt") && !store_has(store, name, "key"))
		return make_leaf(store, options, ca, is_server, err);
	status = store_load_pair(store, name, &leaf, err);
	if (status < 0)
		return status;
	fault = leaf_fault(&leaf, ca, options, is_server);
	if (fault == NULL)
		return 0;
	if (!options->is_renewing)
		return err_set(err, EEXIST, "%s/%s.crt %s: replace it with --renew",
			       store->path, name, fault);
	(void)printf("%s/%s.crt %s\n", store->path, name, fault);
	return make_leaf(store, options, ca, is_server, err);
}

/* Also renewed in time without being asked: an expired list locks every client out. */
static int ensure_crl(const struct store *store, const struct make_pair *ca, bool is_new_ca,
		      struct err *err)
{
	X509_CRL *old = NULL;
	X509_CRL *fresh = NULL;
	int status = is_new_ca ? 0 : store_load_crl(store, &old, err);

	if (status < 0)
		return status;
	if (old != NULL && X509_CRL_verify(old, ca->key) == 1 &&
	    !ends_within(X509_CRL_get0_nextUpdate(old), CERTS_CRL_DAYS / 3)) {
		X509_CRL_free(old);
		return 0;
	}
	status = make_crl(ca, old, NULL, CERTS_CRL_DAYS, &fresh, err);
	if (status == 0)
		status = store_save_crl(store, fresh, err);
	if (status == 0)
		(void)printf("made %s/crl.pem: the list of revoked certificates\n",
			     store->path);
	X509_CRL_free(old);
	X509_CRL_free(fresh);
	return status;
}

static int init_in(const struct store *store, const struct certs_options *options,
		   struct err *err)
{
	own_pair ca = {0};
	bool is_new_ca = false;
	int status = ensure_ca(store, options, &ca, &is_new_ca, err);

	for (int is_server = 1; status == 0 && is_server >= 0; is_server--)
		status = options->is_forced
				 ? make_leaf(store, options, &ca, is_server == 1, err)
				 : ensure_leaf(store, options, &ca, is_server == 1, err);
	if (status == 0)
		status = ensure_crl(store, &ca, is_new_ca, err);
	if (status == 0)
		(void)printf(
			"%s is ready: ca.crt, server.crt, client.crt and crl.pem are valid\n",
			store->path);
	return status;
}

int certs_init(const struct certs_options *options, struct err *err)
{
	struct store store = {.fd = -1};
	int status = store_open(&store, options->pki, true, err);

	if (status == 0)
		status = init_in(&store, options, err);
	store_close(&store);
	return status;
}
