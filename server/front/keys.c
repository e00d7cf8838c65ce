#include "server/front/keys.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>

#include "base/memfd.h"

static void own_bio_done(BIO **bio)
{
	BIO_free(*bio);
}
#define own_bio __attribute__((cleanup(own_bio_done))) BIO

static void own_x509_done(X509 **certificate)
{
	X509_free(*certificate);
}
#define own_x509 __attribute__((cleanup(own_x509_done))) X509

/* A prompt for a pass phrase would hang the service: answer with none. */
static int no_passphrase(char *buffer, int size, int is_writing, void *unused)
{
	(void)buffer;
	(void)size;
	(void)is_writing;
	(void)unused;
	return -1;
}

static int open_pem(int fd, const char *what, struct span *ret_span, BIO **ret_bio,
		    struct err *err)
{
	int status = memfd_map(fd, KEYS_PEM_BYTES_MAX, ret_span, err);

	if (status < 0)
		return err_prefix(err, "%s", what);
	*ret_bio = BIO_new_mem_buf(ret_span->data, (int)ret_span->length);
	if (*ret_bio == NULL)
		return err_set(err, ENOMEM, "%s: no memory", what);
	ERR_clear_error();
	return 0;
}

static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text != NULL ? text : "unknown reason";
}

/* The end of a PEM file is an error like any other; every other error is a damaged entry. */
static int check_pem_end(const char *what, struct err *err)
{
	unsigned long error = ERR_peek_last_error();

	if (error != 0 &&
	    (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE))
		return err_set(err, EINVAL, "%s: a damaged PEM entry: %s", what, reason());
	ERR_clear_error();
	return 0;
}

static void format_time(const ASN1_TIME *time, char ret[32])
{
	struct tm tm = {0};

	if (ASN1_TIME_to_tm(time, &tm) != 1)
		tm = (struct tm){.tm_mday = 1};
	(void)snprintf(ret, 32, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
		       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static int check_own(X509 *leaf, struct err *err)
{
	char when[32];

	if (X509_cmp_current_time(X509_get0_notAfter(leaf)) <= 0) {
		format_time(X509_get0_notAfter(leaf), when);
		return err_set(err, EKEYEXPIRED,
			       "the server certificate expired at %s: install a new one (a "
			       "development one: casemate certs init --renew)",
			       when);
	}
	if (X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0) {
		format_time(X509_get0_notBefore(leaf), when);
		return err_set(err, EINVAL,
			       "the server certificate is valid only from %s on: check this "
			       "machine's clock",
			       when);
	}
	if (X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) != 1)
		return err_set(
			err, EINVAL,
			"the server certificate is not meant for servers (its extended key "
			"usage lacks serverAuth)");
	return 0;
}

/* The leaf first, then the intermediates in the order in which they are sent. */
static int load_chain(SSL_CTX *context, BIO *pem, struct err *err)
{
	own_x509 *leaf = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL);
	X509 *more;
	int status;

	if (leaf == NULL)
		return err_set(err, EINVAL,
			       "the server certificate file holds no PEM "
			       "certificate: %s",
			       reason());
	status = check_own(leaf, err);
	if (status < 0)
		return status;
	if (SSL_CTX_use_certificate(context, leaf) != 1)
		return err_set(err, EINVAL, "the server certificate cannot be used: %s",
			       reason());
	while ((more = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL)) != NULL) {
		if (SSL_CTX_add0_chain_cert(context, more) != 1) {
			X509_free(more);
			return err_set(err, EINVAL, "the server's chain cannot be used: %s",
				       reason());
		}
	}
	return check_pem_end("server certificate", err);
}

static int load_key(SSL_CTX *context, BIO *pem, struct err *err)
{
	EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, no_passphrase, NULL);
	int is_used;

	if (key == NULL)
		return err_set(err, EINVAL,
			       "the server key file holds no unencrypted PEM private "
			       "key: %s",
			       reason());
	/* Checked first, because SSL_CTX_use_PrivateKey() would silently drop the certificate.
	 */
	if (X509_check_private_key(SSL_CTX_get0_certificate(context), key) != 1) {
		EVP_PKEY_free(key);
		return err_set(err, EINVAL,
			       "the server key does not belong to the server "
			       "certificate");
	}
	is_used = SSL_CTX_use_PrivateKey(context, key);
	EVP_PKEY_free(key);
	if (is_used != 1)
		return err_set(err, EINVAL, "the server key cannot be used: %s", reason());
	return 0;
}

int keys_load_own(SSL_CTX *context, int chain_fd, int key_fd, struct err *err)
{
	own_span chain = {.data = ""};
	own_span key = {.data = ""};
	own_bio *chain_pem = NULL;
	own_bio *key_pem = NULL;
	int status = open_pem(chain_fd, "server certificate", &chain, &chain_pem, err);

	if (status == 0)
		status = load_chain(context, chain_pem, err);
	if (status == 0)
		status = open_pem(key_fd, "server key", &key, &key_pem, err);
	return status < 0 ? status : load_key(context, key_pem, err);
}

/* An old CA may stay in the file while its successor takes over: only its chains fail. */
static int add_ca(SSL_CTX *context, X509 *ca, struct err *err)
{
	if (X509_check_ca(ca) == 0)
		return err_set(err, EINVAL,
			       "the client CA file holds a certificate that is not a "
			       "CA");
	if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca) != 1 ||
	    SSL_CTX_add_client_CA(context, ca) != 1)
		return err_set(err, EINVAL, "a client CA cannot be used: %s", reason());
	return 0;
}

int keys_load_client_ca(SSL_CTX *context, int fd, struct err *err)
{
	own_span span = {.data = ""};
	own_bio *pem = NULL;
	bool has_valid = false;
	int status = open_pem(fd, "client CA", &span, &pem, err);

	while (status == 0) {
		own_x509 *ca = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL);

		if (ca == NULL)
			break;
		has_valid = has_valid || X509_cmp_current_time(X509_get0_notAfter(ca)) > 0;
		status = add_ca(context, ca, err);
	}
	if (status == 0)
		status = check_pem_end("client CA", err);
	if (status == 0 && !has_valid)
		return err_set(err, EINVAL,
			       "the client CA file holds no PEM certificate that has "
			       "not expired");
	return status;
}

static int check_crl_dates(const X509_CRL *crl, struct err *err)
{
	const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
	char when[32];

	if (next == NULL || X509_cmp_current_time(next) > 0)
		return 0;
	format_time(next, when);
	return err_set(
		err, EKEYEXPIRED,
		"the CRL expired at %s, so every client would be refused: fetch a new one (a "
		"development one: casemate certs crl)",
		when);
}

/* True when a client CA of the context has signed the CRL. */
static bool is_signed_by_us(SSL_CTX *context, X509_CRL *crl)
{
	STACK_OF(X509) *all = X509_STORE_get1_all_certs(SSL_CTX_get_cert_store(context));
	bool is_signed = false;

	for (int i = 0; i < sk_X509_num(all) && !is_signed; i++) {
		X509 *ca = sk_X509_value(all, i);

		is_signed = X509_NAME_cmp(X509_get_subject_name(ca),
					  X509_CRL_get_issuer(crl)) == 0 &&
			    X509_CRL_verify(crl, X509_get0_pubkey(ca)) == 1;
	}
	sk_X509_pop_free(all, X509_free);
	ERR_clear_error();
	return is_signed;
}

static int add_crl(SSL_CTX *context, X509_CRL *crl, bool *has_ours, struct err *err)
{
	int status = check_crl_dates(crl, err);

	if (status < 0)
		return status;
	*has_ours = *has_ours || is_signed_by_us(context, crl);
	if (X509_STORE_add_crl(SSL_CTX_get_cert_store(context), crl) != 1)
		return err_set(err, EINVAL, "the CRL cannot be used: %s", reason());
	return 0;
}

int keys_load_crl(SSL_CTX *context, int fd, struct err *err)
{
	own_span span = {.data = ""};
	own_bio *pem = NULL;
	bool has_ours = false;
	int status = open_pem(fd, "CRL", &span, &pem, err);

	while (status == 0) {
		X509_CRL *crl = PEM_read_bio_X509_CRL(pem, NULL, no_passphrase, NULL);

		if (crl == NULL)
			break;
		status = add_crl(context, crl, &has_ours, err);
		X509_CRL_free(crl);
	}
	if (status == 0)
		status = check_pem_end("CRL", err);
	if (status < 0)
		return status;
	if (!has_ours)
		return err_set(err, EINVAL,
			       "the CRL file holds no PEM CRL signed by a client CA, "
			       "so every client would be refused");
	if (X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context),
					X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) != 1)
		return err_set(err, ENOMEM, "CRL checks cannot be switched on");
	return 0;
}
