#include "server/certs/make.h"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define SERIAL_BYTES   16 /* RFC 5280 allows 20; 128 random bits never meet again */
#define CLOCK_SKEW_S   300
#define X509_VERSION_3 2
#define CRL_VERSION_2  1

static int crypto_failed(struct err *err, const char *what)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	return err_set(err, EIO, "%s: %s", what, why != NULL ? why : "libcrypto failed");
}

void make_pair_done(struct make_pair *pair)
{
	X509_free(pair->certificate);
	EVP_PKEY_free(pair->key);
	*pair = (struct make_pair){0};
}

static int set_serial(X509 *certificate, struct err *err)
{
	unsigned char bytes[SERIAL_BYTES];
	BIGNUM *number;
	int is_set;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return crypto_failed(err, "random serial number");
	bytes[0] = (unsigned char)((bytes[0] & 0x7F) | 0x40); /* positive, always 16 bytes */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	is_set = number != NULL &&
		 BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
	BN_free(number);
	return is_set ? 0 : crypto_failed(err, "serial number");
}

static int set_subject(X509 *certificate, const char *common_name, struct err *err)
{
	X509_NAME *name = X509_get_subject_name(certificate);

	if (X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8,
				       (const unsigned char *)"Casemate", -1, -1, 0) != 1 ||
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
				       (const unsigned char *)common_name, -1, -1, 0) != 1)
		return crypto_failed(err, "subject");
	return 0;
}

static int set_dates(X509 *certificate, const struct make_certificate *wanted,
		     const X509 *issuer, struct err *err)
{
	const ASN1_TIME *end = issuer != NULL ? X509_get0_notAfter(issuer) : NULL;

	if (ASN1_TIME_set(X509_getm_notBefore(certificate), wanted->not_before) == NULL ||
	    ASN1_TIME_set(X509_getm_notAfter(certificate), wanted->not_after) == NULL)
		return crypto_failed(err, "dates");
	/* Nothing outlives the one who vouches for it. */
	if (end != NULL && ASN1_TIME_compare(X509_get0_notAfter(certificate), end) > 0 &&
	    X509_set1_notAfter(certificate, end) != 1)
		return crypto_failed(err, "dates");
	return 0;
}

static int add_extension(X509 *certificate, const X509 *issuer, int nid, const char *value,
			 struct err *err)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	int is_added;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, (X509 *)(uintptr_t)issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	is_added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return is_added ? 0 : crypto_failed(err, OBJ_nid2ln(nid));
}

static int is_address(const char *host)
{
	unsigned char address[16];

	return inet_pton(AF_INET, host, address) == 1 ||
	       inet_pton(AF_INET6, host, address) == 1;
}

/* Built as structures, not as OpenSSL's configuration text: a comma in a name could add another
 * name there. */
static int push_name(GENERAL_NAMES *names, int type, const char *text, struct err *err)
{
	GENERAL_NAME *name = is_address(text) && type == GEN_DNS
				     ? a2i_GENERAL_NAME(NULL, NULL, NULL, GEN_IPADD, text, 0)
				     : a2i_GENERAL_NAME(NULL, NULL, NULL, type, text, 0);

	if (name == NULL || sk_GENERAL_NAME_push(names, name) == 0) {
		GENERAL_NAME_free(name);
		return crypto_failed(err, text);
	}
	return 0;
}

static int add_names(X509 *certificate, const struct make_certificate *wanted, struct err *err)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	int status = names != NULL ? 0 : crypto_failed(err, "names");

	if (status == 0 && wanted->uri != NULL)
		status = push_name(names, GEN_URI, wanted->uri, err);
	for (size_t i = 0; status == 0 && i < wanted->host_count; i++)
		status = push_name(names, GEN_DNS, wanted->hosts[i], err);
	if (status == 0 && sk_GENERAL_NAME_num(names) > 0 &&
	    X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0,
			      X509V3_ADD_DEFAULT) != 1)
		status = crypto_failed(err, "names");
	GENERAL_NAMES_free(names);
	return status;
}

static int add_extensions(X509 *certificate, const struct make_certificate *wanted,
			  const X509 *issuer, struct err *err)
{
	int is_ca = wanted->usage == MAKE_CA;
	const struct {
		int nid;
		const char *value; /* NULL: not in this kind */
	} extensions[] = {
		{NID_basic_constraints,
		 is_ca ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE"},
		{NID_key_usage,
		 is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature"},
		{NID_ext_key_usage, is_ca			   ? NULL
				    : wanted->usage == MAKE_SERVER ? "serverAuth"
								   : "clientAuth"},
		{NID_subject_key_identifier, "hash"},
		{NID_authority_key_identifier, is_ca ? NULL : "keyid:always"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(extensions); i++) {
		int status = extensions[i].value == NULL
				     ? 0
				     : add_extension(certificate, issuer, extensions[i].nid,
						     extensions[i].value, err);

		if (status < 0)
			return status;
	}
	return add_names(certificate, wanted, err);
}

static int fill(X509 *certificate, const struct make_certificate *wanted,
		const struct make_pair *issuer, EVP_PKEY *key, struct err *err)
{
	const X509 *parent = issuer != NULL ? issuer->certificate : certificate;
	int status;

	if (X509_set_version(certificate, X509_VERSION_3) != 1 ||
	    X509_set_pubkey(certificate, key) != 1)
		return crypto_failed(err, "certificate");
	status = set_serial(certificate, err);
	if (status == 0)
		status = set_subject(certificate, wanted->common_name, err);
	if (status == 0 &&
	    X509_set_issuer_name(certificate, X509_get_subject_name(parent)) != 1)
		status = crypto_failed(err, "issuer");
	if (status == 0)
		status = set_dates(certificate, wanted,
				   issuer != NULL ? issuer->certificate : NULL, err);
	if (status == 0)
		status = add_extensions(certificate, wanted, parent, err);
	if (status == 0 &&
	    X509_sign(certificate, issuer != NULL ? issuer->key : key, EVP_sha256()) == 0)
		status = crypto_failed(err, "sign the certificate");
	return status;
}

int make_pair_new(const struct make_certificate *wanted, const struct make_pair *issuer,
		  struct make_pair *ret, struct err *err)
{
	own_pair made = {.certificate = X509_new(), .key = EVP_EC_gen("P-256")};
	int status;

	if (made.certificate == NULL || made.key == NULL)
		return crypto_failed(err, "make a P-256 key");
	status = fill(made.certificate, wanted, issuer, made.key, err);
	if (status < 0)
		return status;
	*ret = made;
	made = (struct make_pair){0};
	return 0;
}

/* --- CRL --------------------------------------------------------------------------------- */

int make_crl_has(X509_CRL *crl, X509 *certificate)
{
	X509_REVOKED *found = NULL;

	return X509_CRL_get0_by_cert(crl, &found, certificate) == 1;
}

static int add_entry(X509_CRL *crl, const ASN1_INTEGER *serial, const ASN1_TIME *when,
		     struct err *err)
{
	X509_REVOKED *entry = X509_REVOKED_new();

	if (entry == NULL ||
	    X509_REVOKED_set_serialNumber(entry, (ASN1_INTEGER *)(uintptr_t)serial) != 1 ||
	    X509_REVOKED_set_revocationDate(entry, (ASN1_TIME *)(uintptr_t)when) != 1 ||
	    X509_CRL_add0_revoked(crl, entry) != 1) {
		X509_REVOKED_free(entry);
		return crypto_failed(err, "CRL entry");
	}
	return 0;
}

static int copy_entries(X509_CRL *crl, X509_CRL *old, struct err *err)
{
	STACK_OF(X509_REVOKED) *entries = old != NULL ? X509_CRL_get_REVOKED(old) : NULL;
	int status = 0;

	for (int i = 0; status == 0 && i < sk_X509_REVOKED_num(entries); i++) {
		const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);

		status = add_entry(crl, X509_REVOKED_get0_serialNumber(entry),
				   X509_REVOKED_get0_revocationDate(entry), err);
	}
	return status;
}

/* One more than the old list's, so that a reader can tell which is newer (RFC 5280, 5.2.3). */
static int set_number(X509_CRL *crl, X509_CRL *old, struct err *err)
{
	ASN1_INTEGER *number =
		old != NULL ? X509_CRL_get_ext_d2i(old, NID_crl_number, NULL, NULL) : NULL;
	int64_t value = 0;
	int is_set;

	if (number == NULL)
		number = ASN1_INTEGER_new();
	else if (ASN1_INTEGER_get_int64(&value, number) != 1)
		value = 0;
	is_set = number != NULL && ASN1_INTEGER_set_int64(number, value + 1) == 1 &&
		 X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0) == 1;
	ASN1_INTEGER_free(number);
	return is_set ? 0 : crypto_failed(err, "CRL number");
}

static int add_authority(X509_CRL *crl, const struct make_pair *issuer, struct err *err)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;
	int is_added;

	X509V3_set_ctx_nodb(&context);
	X509V3_set_ctx(&context, issuer->certificate, NULL, NULL, crl, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, NID_authority_key_identifier,
					"keyid:always");
	is_added = extension != NULL && X509_CRL_add_ext(crl, extension, -1) == 1;
	X509_EXTENSION_free(extension);
	return is_added ? 0 : crypto_failed(err, "CRL authority");
}

static int set_crl_dates(X509_CRL *crl, unsigned days, struct err *err)
{
	time_t now = time(NULL);
	ASN1_TIME *update = ASN1_TIME_set(NULL, now - CLOCK_SKEW_S);
	ASN1_TIME *next = ASN1_TIME_set(NULL, now + (time_t)days * 86400);
	int is_set = update != NULL && next != NULL &&
		     X509_CRL_set1_lastUpdate(crl, update) == 1 &&
		     X509_CRL_set1_nextUpdate(crl, next) == 1;

	ASN1_TIME_free(update);
	ASN1_TIME_free(next);
	return is_set ? 0 : crypto_failed(err, "CRL dates");
}

static int fill_crl(X509_CRL *crl, const struct make_pair *issuer, X509_CRL *old, X509 *revoked,
		    struct err *err)
{
	ASN1_TIME *now;
	int status = 0;

	if (X509_CRL_set_version(crl, CRL_VERSION_2) != 1 ||
	    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->certificate)) != 1)
		return crypto_failed(err, "CRL");
	status = copy_entries(crl, old, err);
	if (status == 0 && revoked != NULL && (old == NULL || !make_crl_has(old, revoked))) {
		now = ASN1_TIME_set(NULL, time(NULL));
		status = add_entry(crl, X509_get0_serialNumber(revoked), now, err);
		ASN1_TIME_free(now);
	}
	if (status == 0)
		status = set_number(crl, old, err);
	return status < 0 ? status : add_authority(crl, issuer, err);
}

int make_crl(const struct make_pair *issuer, X509_CRL *old, X509 *revoked, unsigned days,
	     X509_CRL **ret, struct err *err)
{
	X509_CRL *crl = X509_CRL_new();
	int status = crl != NULL ? 0 : crypto_failed(err, "CRL");

	if (status == 0)
		status = fill_crl(crl, issuer, old, revoked, err);
	if (status == 0)
		status = set_crl_dates(crl, days, err);
	if (status == 0 &&
	    (X509_CRL_sort(crl) != 1 || X509_CRL_sign(crl, issuer->key, EVP_sha256()) == 0))
		status = crypto_failed(err, "sign the CRL");
	if (status < 0) {
		X509_CRL_free(crl);
		return status;
	}
	*ret = crl;
	return 0;
}
