#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/own.h"
#include "server/front/identity.h"

TestSuite(identity, .timeout = 10);

struct text_case {
	const char *text;
	size_t length; /* 0: strlen */
	bool is_good;
};

static void check_cases(const char *(*fault)(const char *text, size_t length),
			const struct text_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = cases[i].length != 0 ? cases[i].length : strlen(cases[i].text);
		const char *why = fault(cases[i].text, length);

		cr_expect(eq(int, why == NULL, cases[i].is_good), "'%s': %s", cases[i].text,
			  why != NULL ? why : "taken");
	}
}

Test(identity, spiffe_ids_are_checked_as_their_specification_says)
{
	static const struct text_case cases[] = {
		{"spiffe://example.org/a", 0, true},
		{"spiffe://example.org/ns/prod/sa/web-1.0_x", 0, true},
		{"spiffe://example.org", 0, false},
		{"spiffe://example.org/", 0, false},
		{"spiffe://example.org//a", 0, false},
		{"spiffe://example.org/a/", 0, false},
		{"spiffe://example.org/./a", 0, false},
		{"spiffe://example.org/../a", 0, false},
		{"spiffe:///a", 0, false},
		{"SPIFFE://example.org/a", 0, false},
		{"spiffe://Example.org/a", 0, false},
		{"spiffe://user@example.org/a", 0, false},
		{"spiffe://example.org:8443/a", 0, false},
		{"spiffe://example.org/a?b", 0, false},
		{"spiffe://example.org/a#b", 0, false},
		{"spiffe://example.org/%61", 0, false},
		{"spiffe://example.org/*", 0, false},
		{"spiffe://example.org/a b", 0, false},
		{"spiffe://example.org/a\0b", 24, false},
		{"spiffe://example.org/a\n", 0, false},
		{"http://example.org/a", 0, false},
		{"spiffe:", 0, false},
	};

	check_cases(identity_spiffe_fault, cases, ARRAY_COUNT(cases));
}

Test(identity, dns_names_are_host_names)
{
	static const struct text_case cases[] = {
		{"example.org", 0, true},
		{"a", 0, true},
		{"A-b_c.Example.org", 0, true},
		{"xn--bcher-kva.example", 0, true},
		{"", 0, false},
		{".", 0, false},
		{"example.org.", 0, false},
		{".example.org", 0, false},
		{"a..b", 0, false},
		{"-a.org", 0, false},
		{"a-.org", 0, false},
		{"*.example.org", 0, false},
		{"a b.org", 0, false},
		{"good.org\0.evil.org", 18, false},
		{"b\xc3\xbc"
		 "cher.example",
		 0, false},
		{"a\r\n.org", 0, false},
	};

	check_cases(identity_dns_fault, cases, ARRAY_COUNT(cases));
}

Test(identity, a_common_name_is_printable_utf8)
{
	static const struct text_case cases[] = {
		{"alice", 0, true},
		{"Alice M\xc3\xbcller, CI", 0, true},
		{"", 0, false},
		{" alice", 0, false},
		{"alice ", 0, false},
		{"al\0ice", 6, false},
		{"al\x1bice", 0, false},
		{"al\x7fice", 0, false},
		{"al\xc2\x85ice", 0, false},
		{"al\xffice", 0, false},
		{"al\xed\xa0\x80ice", 0, false},
		{"*", 0, false},
	};

	check_cases(identity_cn_fault, cases, ARRAY_COUNT(cases));
}

Test(identity, too_long_is_no_identity)
{
	char text[LIMIT_IDENTITY_BYTES + 2];

	memset(text, 'a', sizeof(text));
	cr_expect(zero(ptr, (void *)(uintptr_t)identity_cn_fault(text, LIMIT_IDENTITY_BYTES)));
	cr_expect(not(zero(
		ptr, (void *)(uintptr_t)identity_cn_fault(text, LIMIT_IDENTITY_BYTES + 1))));
	cr_expect(not(zero(ptr, (void *)(uintptr_t)identity_dns_fault(text, 64))));
	memcpy(text, "spiffe://a/", 11);
	cr_expect(zero(ptr,
		       (void *)(uintptr_t)identity_spiffe_fault(text, LIMIT_IDENTITY_BYTES)));
	cr_expect(not(zero(ptr, (void *)(uintptr_t)identity_spiffe_fault(
					text, LIMIT_IDENTITY_BYTES + 1))));
}

/* --- whole certificates ------------------------------------------------------------------ */

static void add_cn(X509 *certificate, const void *text, int length)
{
	cr_assert(eq(int,
		     X509_NAME_add_entry_by_NID(X509_get_subject_name(certificate),
						NID_commonName, MBSTRING_UTF8, text, length, -1,
						0),
		     1));
}

static void push(GENERAL_NAMES *names, int type, const char *text, int length)
{
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *value = ASN1_IA5STRING_new();

	cr_assert(eq(int, ASN1_STRING_set(value, text, length), 1));
	GENERAL_NAME_set0_value(name, type, value);
	cr_assert(gt(int, sk_GENERAL_NAME_push(names, name), 0));
}

struct name_case {
	const char *uris[2];
	const char *dns[2];
	const char *cn;
	uint8_t kind;
	const char *identity;
};

static X509 *build(const struct name_case *names)
{
	X509 *certificate = X509_new();
	GENERAL_NAMES *list = GENERAL_NAMES_new();

	for (size_t i = 0; i < 2; i++)
		if (names->dns[i] != NULL)
			push(list, GEN_DNS, names->dns[i], -1);
	for (size_t i = 0; i < 2; i++)
		if (names->uris[i] != NULL)
			push(list, GEN_URI, names->uris[i], -1);
	if (sk_GENERAL_NAME_num(list) > 0)
		cr_assert(eq(int,
			     X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, 0),
			     1));
	if (names->cn != NULL)
		add_cn(certificate, names->cn, -1);
	GENERAL_NAMES_free(list);
	return certificate;
}

Test(identity, spiffe_goes_before_dns_before_common_name_and_faults_do_not_fall_through)
{
	static const struct name_case cases[] = {
		{{"spiffe://a/b"}, {"dns.org"}, "cn", IDENTITY_SPIFFE, "spiffe://a/b"},
		{{NULL}, {"DNS.org", "other.org"}, "cn", IDENTITY_DNS, "dns.org"},
		{{NULL}, {NULL}, "cn", IDENTITY_CN, "cn"},
		{{"https://a/b"}, {"dns.org"}, "cn", IDENTITY_DNS, "dns.org"},
		{{"https://a/b"}, {NULL}, "cn", IDENTITY_CN, "cn"},
		{{"spiffe://a/b", "spiffe://a/c"}, {"dns.org"}, "cn", 0, ""},
		{{"spiffe://a/b", "https://a/c"}, {"dns.org"}, "cn", 0, ""},
		{{"spiffe://a/.."}, {"dns.org"}, "cn", 0, ""},
		{{"Spiffe://a/b"}, {"dns.org"}, "cn", 0, ""},
		{{NULL}, {"*.org", "dns.org"}, "cn", 0, ""},
		{{NULL}, {NULL}, NULL, 0, ""},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		X509 *certificate = build(&cases[i]);
		struct identity identity;

		identity_of(certificate, &identity);
		X509_free(certificate);
		cr_expect(eq(u8, identity.kind, cases[i].kind), "case %zu", i);
		cr_expect(eq(str, identity.text, (char *)(uintptr_t)cases[i].identity),
			  "case %zu", i);
		cr_expect(eq(int, identity.fault == NULL, identity.kind != 0), "case %zu", i);
	}
}

Test(identity, a_nul_inside_a_name_is_refused)
{
	X509 *certificate = X509_new();
	GENERAL_NAMES *list = GENERAL_NAMES_new();
	struct identity identity;

	push(list, GEN_DNS, "good.org\0.evil.org", 18);
	cr_assert(eq(int, X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0, 0), 1));
	add_cn(certificate, "cn", 2);
	identity_of(certificate, &identity);
	cr_expect(eq(u8, identity.kind, 0));

	GENERAL_NAMES_free(list);
	X509_free(certificate);
	certificate = X509_new();
	add_cn(certificate, "al\0ice", 6);
	identity_of(certificate, &identity);
	cr_expect(eq(u8, identity.kind, 0));
	X509_free(certificate);
}

Test(identity, two_common_names_name_nobody)
{
	X509 *certificate = X509_new();
	struct identity identity;

	add_cn(certificate, "alice", -1);
	add_cn(certificate, "bob", -1);
	identity_of(certificate, &identity);
	cr_expect(eq(u8, identity.kind, 0));
	X509_free(certificate);
}

Test(identity, two_name_extensions_name_nobody)
{
	X509 *certificate = X509_new();
	GENERAL_NAMES *list = GENERAL_NAMES_new();
	struct identity identity;

	push(list, GEN_DNS, "dns.org", -1);
	for (int i = 0; i < 2; i++)
		cr_assert(eq(int,
			     X509_add1_ext_i2d(certificate, NID_subject_alt_name, list, 0,
					       X509V3_ADD_APPEND),
			     1));
	add_cn(certificate, "cn", -1);
	identity_of(certificate, &identity);
	cr_expect(eq(u8, identity.kind, 0));
	GENERAL_NAMES_free(list);
	X509_free(certificate);
}

Test(identity, a_subject_for_the_record_is_one_printable_line)
{
	X509 *certificate = X509_new();
	char subject[LIMIT_IDENTITY_BYTES + 1];
	int is_printable = 1;

	add_cn(certificate, "a\nb\x1b[31m\xc3\xbc", -1);
	for (int i = 0; i < 10; i++)
		add_cn(certificate, "0123456789012345678901234567890123456789", -1);
	identity_subject(certificate, subject);
	X509_free(certificate);

	cr_assert(le(sz, strlen(subject), LIMIT_IDENTITY_BYTES));
	cr_assert(gt(sz, strlen(subject), 200));
	for (const char *c = subject; *c != '\0'; c++)
		is_printable = is_printable && *c >= 0x20 && *c < 0x7F;
	cr_assert(eq(int, is_printable, 1));
}

Test(identity, a_serial_is_lower_case_hex_and_bounded)
{
	X509 *certificate = X509_new();
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	unsigned char bytes[40];
	char text[65];

	memset(bytes, 0xAB, sizeof(bytes));
	cr_assert(eq(int, ASN1_STRING_set(serial, bytes, 16), 1));
	cr_assert(eq(int, X509_set_serialNumber(certificate, serial), 1));
	identity_serial(certificate, text);
	cr_expect(eq(str, text, "abababababababababababababababab"));
	cr_assert(eq(int, ASN1_STRING_set(serial, bytes, sizeof(bytes)), 1));
	cr_assert(eq(int, X509_set_serialNumber(certificate, serial), 1));
	identity_serial(certificate, text);
	cr_expect(eq(str, text, ""));
	ASN1_INTEGER_free(serial);
	X509_free(certificate);
}
