#include "server/front/identity.h"

#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#define SPIFFE_SCHEME	 "spiffe://"
#define DNS_NAME_MAX	 253 /* RFC 1035 as text without the final dot */
#define DNS_LABEL_MAX	 63
#define SERIAL_BYTES_MAX 32 /* RFC 5280 allows 20 */

#define LOWER_DIGITS "abcdefghijklmnopqrstuvwxyz0123456789"
#define UPPER	     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool consists_of(const char *text, size_t length, const char *set)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\0' || strchr(set, text[i]) == NULL)
			return false;
	return true;
}

/* One segment of a SPIFFE path: never empty, never a relative step. */
static bool is_segment(const char *text, size_t length)
{
	if (length == 0 || (length == 1 && text[0] == '.'))
		return false;
	if (length == 2 && memcmp(text, "..", 2) == 0)
		return false;
	return consists_of(text, length, LOWER_DIGITS UPPER "._-");
}

const char *identity_spiffe_fault(const char *text, size_t length)
{
	const size_t scheme = strlen(SPIFFE_SCHEME);
	const char *end = text + length;
	const char *slash;

	if (length > LIMIT_IDENTITY_BYTES)
		return "the SPIFFE ID is too long";
	if (length < scheme || memcmp(text, SPIFFE_SCHEME, scheme) != 0)
		return "the SPIFFE ID does not start with spiffe:// in lower case";
	text += scheme;
	slash = memchr(text, '/', (size_t)(end - text));
	if (slash == NULL)
		return "the SPIFFE ID has no path";
	if (slash == text || !consists_of(text, (size_t)(slash - text), LOWER_DIGITS "._-"))
		return "the SPIFFE ID has a bad trust domain";
	while (slash != NULL) {
		text = slash + 1;
		slash = memchr(text, '/', (size_t)(end - text));
		if (!is_segment(text, (size_t)((slash != NULL ? slash : end) - text)))
			return "the SPIFFE ID has a bad path";
	}
	return NULL;
}

const char *identity_dns_fault(const char *text, size_t length)
{
	size_t label = 0;

	if (length == 0 || length > DNS_NAME_MAX)
		return "the DNS name is empty or too long";
	if (!consists_of(text, length, LOWER_DIGITS UPPER "._-"))
		return "the DNS name has characters that host names do not have";
	for (size_t i = 0; i <= length; i++) {
		if (i < length && text[i] != '.') {
			label++;
			continue;
		}
		if (label == 0 || label > DNS_LABEL_MAX || text[i - label] == '-' ||
		    text[i - 1] == '-')
			return "the DNS name has a bad label";
		label = 0;
	}
	return NULL;
}

/* C1 controls are U+0080 to U+009F: C2 80 to C2 9F. */
static bool is_c1_control(const char *text, size_t length)
{
	return length == 2 && (uint8_t)text[0] == 0xC2 && (uint8_t)text[1] < 0xA0;
}

const char *identity_cn_fault(const char *text, size_t length)
{
	if (length == 0 || length > LIMIT_IDENTITY_BYTES)
		return "the common name is empty or too long";
	if (text[0] == ' ' || text[length - 1] == ' ')
		return "the common name starts or ends with a space";
	for (size_t i = 0, step; i < length; i += step) {
		uint8_t c = (uint8_t)text[i];

		step = utf8_sequence(text + i, length - i);
		if (step == 0)
			return "the common name is not UTF-8";
		/* An asterisk has a meaning in the configuration's patterns. */
		if (c < 0x20 || c == 0x7F || c == '*' || is_c1_control(text + i, step))
			return "the common name has characters that are not allowed";
	}
	return NULL;
}

static void publish(struct identity *identity, uint8_t kind, const char *text, size_t length)
{
	identity->kind = kind;
	memcpy(identity->text, text, length);
	identity->text[length] = '\0';
}

static const char *name_bytes(const GENERAL_NAME *name, size_t *ret_length)
{
	const ASN1_STRING *text = name->d.ia5;

	*ret_length = (size_t)ASN1_STRING_length(text);
	return (const char *)ASN1_STRING_get0_data(text);
}

/* True when the search is over, with or without an identity. */
static bool take_spiffe(const GENERAL_NAMES *names, struct identity *ret)
{
	const char *found = NULL;
	size_t found_length = 0;
	unsigned uris = 0;

	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const char *text;
		size_t length;

		if (name->type != GEN_URI)
			continue;
		uris++;
		text = name_bytes(name, &length);
		if (length >= 7 && strncasecmp(text, "spiffe:", 7) == 0) {
			found = text;
			found_length = length;
		}
	}
	if (found == NULL)
		return false;
	ret->fault = uris == 1 ? identity_spiffe_fault(found, found_length)
			       : "a certificate with a SPIFFE ID has exactly one URI name";
	if (ret->fault == NULL)
		publish(ret, IDENTITY_SPIFFE, found, found_length);
	return true;
}

static bool take_dns(const GENERAL_NAMES *names, struct identity *ret)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		const char *text;
		size_t length;

		if (name->type != GEN_DNS)
			continue;
		text = name_bytes(name, &length);
		ret->fault = identity_dns_fault(text, length);
		if (ret->fault != NULL)
			return true;
		publish(ret, IDENTITY_DNS, text, length);
		for (char *c = ret->text; *c != '\0'; c++)
			*c = (char)tolower((unsigned char)*c);
		return true;
	}
	return false;
}

static void take_cn(const X509 *certificate, struct identity *ret)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	unsigned char *text = NULL;
	int length;

	if (at < 0) {
		ret->fault = "the certificate has no SPIFFE ID, DNS name or common name";
		return;
	}
	if (X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
		ret->fault = "the certificate has more than one common name";
		return;
	}
	length = ASN1_STRING_to_UTF8(
		&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	if (length < 0) {
		ret->fault = "the common name cannot be decoded";
		return;
	}
	ret->fault = identity_cn_fault((const char *)text, (size_t)length);
	if (ret->fault == NULL)
		publish(ret, IDENTITY_CN, (const char *)text, (size_t)length);
	OPENSSL_free(text);
}

void identity_of(const X509 *certificate, struct identity *ret)
{
	GENERAL_NAMES *names;
	int found = 0; /* -1 absent, -2 more than once, 0 or 1 when decoded or undecodable */
	bool is_over;

	*ret = (struct identity){0};
	names = X509_get_ext_d2i(certificate, NID_subject_alt_name, &found, NULL);
	if (names == NULL && found != -1) {
		ret->fault = "the subject alternative names cannot be decoded";
		return;
	}
	is_over = names != NULL && (take_spiffe(names, ret) || take_dns(names, ret));
	GENERAL_NAMES_free(names);
	if (!is_over)
		take_cn(certificate, ret);
}

void identity_subject(const X509 *certificate, char ret[LIMIT_IDENTITY_BYTES + 1])
{
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL;
	long length;

	ret[0] = '\0';
	if (out == NULL)
		return;
	if (X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >=
	    0) {
		length = BIO_get_mem_data(out, &text);
		if (length > LIMIT_IDENTITY_BYTES)
			length = LIMIT_IDENTITY_BYTES;
		for (long i = 0; i < length; i++)
			ret[i] = text[i] >= 0x20 && text[i] < 0x7F ? text[i] : '?';
		ret[length > 0 ? length : 0] = '\0';
	}
	BIO_free(out);
}

void identity_serial(const X509 *certificate, char ret[65])
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	const unsigned char *bytes = ASN1_STRING_get0_data(serial);
	int length = ASN1_STRING_length(serial);

	ret[0] = '\0';
	if (length > SERIAL_BYTES_MAX)
		return;
	for (int i = 0; i < length; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}
