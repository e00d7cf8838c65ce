/* Formats of hosts, mailboxes and resource identifiers (RFC 1123, 5321, 3986, 3987, 6570). */
#include <arpa/inet.h>
#include <string.h>

#include "validator/schema_format.h"

#define HOSTNAME_BYTES_MAX 253
#define LABEL_BYTES_MAX	   63

static bool is_alpha(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static bool is_alnum(char c)
{
	return is_alpha(c) || (c >= '0' && c <= '9');
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_one_of(char c, const char *list)
{
	return c != '\0' && strchr(list, c) != NULL;
}

/* --- addresses and names ----------------------------------------------------------------- */

static bool is_address(int family, const char *text, size_t length)
{
	char copy[64];
	unsigned char address[16];

	if (length == 0 || length >= sizeof(copy) || memchr(text, '\0', length) != NULL)
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	return inet_pton(family, copy, address) == 1;
}

bool format_ipv4(const char *text, size_t length)
{
	return is_address(AF_INET, text, length);
}

bool format_ipv6(const char *text, size_t length)
{
	return is_address(AF_INET6, text, length);
}

static bool is_label(const char *text, size_t length, bool is_idn)
{
	if (length == 0 || length > LABEL_BYTES_MAX * (is_idn ? 4 : 1) || text[0] == '-' ||
	    text[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_alnum(text[i]) && text[i] != '-' &&
		    !(is_idn && ((unsigned char)text[i] & 0x80) != 0))
			return false;
	return true;
}

static bool is_hostname(const char *text, size_t length, bool is_idn)
{
	const char *end = text + length;

	if (length > HOSTNAME_BYTES_MAX * (is_idn ? 4 : 1))
		return false;
	for (;;) {
		const char *dot = memchr(text, '.', (size_t)(end - text));
		const char *stop = dot != NULL ? dot : end;

		if (!is_label(text, (size_t)(stop - text), is_idn))
			return false;
		if (dot == NULL)
			return true;
		text = dot + 1;
	}
}

bool format_hostname(const char *text, size_t length)
{
	return is_hostname(text, length, false);
}

/* --- mailboxes: RFC 5321 section 4.1.2, RFC 6531 for the international form -------------- */

static bool is_atom(const char *text, size_t length, bool is_idn)
{
	bool is_start = true;

	for (size_t i = 0; i < length; i++) {
		bool is_good = is_alnum(text[i]) || is_one_of(text[i], "!#$%&'*+-/=?^_`{|}~") ||
			       (is_idn && ((unsigned char)text[i] & 0x80) != 0);

		if (text[i] == '.' ? is_start : !is_good)
			return false;
		is_start = text[i] == '.';
	}
	return !is_start;
}

static bool is_quoted(const char *text, size_t length, bool is_idn)
{
	if (length < 2 || text[0] != '"' || text[length - 1] != '"')
		return false;
	for (size_t i = 1; i < length - 1; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\\')
			c = ++i < length - 1 ? (unsigned char)text[i] : 0;
		else if (c == '"')
			return false;
		if (c < 0x20 || c == 0x7F || (c >= 0x80 && !is_idn))
			return false;
	}
	return true;
}

static bool is_literal(const char *text, size_t length)
{
	if (length < 2 || text[0] != '[' || text[length - 1] != ']')
		return false;
	if (length > 7 && strncasecmp(text, "[IPv6:", 6) == 0)
		return format_ipv6(text + 6, length - 7);
	return format_ipv4(text + 1, length - 2);
}

static bool is_mailbox(const char *text, size_t length, bool is_idn)
{
	const char *at = memrchr(text, '@', length);
	size_t local = at != NULL ? (size_t)(at - text) : 0;
	size_t rest;

	/* RFC 5321 section 4.5.3.1.1 */
	if (at == NULL || local > 64 * (is_idn ? 4u : 1u))
		return false;
	rest = length - local - 1;
	return (is_atom(text, local, is_idn) || is_quoted(text, local, is_idn)) &&
	       (is_hostname(at + 1, rest, is_idn) || is_literal(at + 1, rest));
}

bool format_email(const char *text, size_t length)
{
	return is_mailbox(text, length, false);
}

bool format_idn_email(const char *text, size_t length)
{
	return is_mailbox(text, length, true);
}

/* --- identifiers: RFC 3986 appendix A, RFC 3987 section 2.2 ------------------------------ */

/* Unreserved characters, sub-delimiters, escapes, and those of `extra`. */
static bool is_made_of(const char *text, size_t length, const char *extra, bool is_iri)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '%') {
			if (length - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))
				return false;
			i += 2;
		} else if (c >= 0x80) {
			/* U+0080 to U+009F are no characters of an IRI. */
			if (!is_iri || (c == 0xC2 && (unsigned char)text[i + 1] < 0xA0))
				return false;
		} else if (!is_alnum(text[i]) && !is_one_of(text[i], "-._~!$&'()*+,;=") &&
			   !is_one_of(text[i], extra))
			return false;
	}
	return true;
}

static bool is_future(const char *text, size_t length)
{
	size_t digits = 1;

	while (digits < length && is_hex(text[digits]))
		digits++;
	return length > 3 && (text[0] | 0x20) == 'v' && digits > 1 && digits + 1 < length &&
	       text[digits] == '.' && memchr(text, '%', length) == NULL &&
	       is_made_of(text + digits + 1, length - digits - 1, ":", false);
}

static bool is_authority(const char *text, size_t length, bool is_iri)
{
	const char *at = memrchr(text, '@', length);
	const char *end = text + length;
	const char *port;

	if (at != NULL) {
		if (!is_made_of(text, (size_t)(at - text), ":", is_iri))
			return false;
		text = at + 1;
	}
	if (text < end && *text == '[') {
		const char *close = memchr(text, ']', (size_t)(end - text));

		if (close == NULL || (!format_ipv6(text + 1, (size_t)(close - text - 1)) &&
				      !is_future(text + 1, (size_t)(close - text - 1))))
			return false;
		text = close + 1;
		if (text < end && *text != ':')
			return false;
	}
	port = memchr(text, ':', (size_t)(end - text));
	if (port != NULL) {
		for (const char *digit = port + 1; digit < end; digit++)
			if (*digit < '0' || *digit > '9')
				return false;
		end = port;
	}
	return is_made_of(text, (size_t)(end - text), "", is_iri);
}

/* Length of "scheme:" without the colon, 0: none. */
static size_t scheme_length(const char *text, size_t length)
{
	size_t at = 0;

	while (at < length && (is_alnum(text[at]) || (at > 0 && is_one_of(text[at], "+-."))))
		at++;
	return at > 0 && at < length && text[at] == ':' && is_alpha(text[0]) ? at : 0;
}

static size_t until(const char *text, size_t length, const char *stops)
{
	size_t at = 0;

	while (at < length && !is_one_of(text[at], stops))
		at++;
	return at;
}

static bool is_identifier(const char *text, size_t length, bool needs_scheme, bool is_iri)
{
	size_t scheme = scheme_length(text, length);
	bool has_authority;
	size_t part;

	if (needs_scheme && scheme == 0)
		return false;
	if (scheme > 0) {
		text += scheme + 1;
		length -= scheme + 1;
	}
	has_authority = length >= 2 && text[0] == '/' && text[1] == '/';
	if (has_authority) {
		part = 2 + until(text + 2, length - 2, "/?#");
		if (!is_authority(text + 2, part - 2, is_iri))
			return false;
		text += part;
		length -= part;
	}
	part = until(text, length, "?#");
	/* A colon in the first segment of a relative path would make it a scheme. */
	if (scheme == 0 && !has_authority && memchr(text, ':', until(text, part, "/")) != NULL)
		return false;
	if (!is_made_of(text, part, ":@/", is_iri))
		return false;
	text += part;
	length -= part;
	if (length > 0 && *text == '?') {
		part = until(text, length, "#");
		if (!is_made_of(text + 1, part - 1, ":@/?", is_iri))
			return false;
		text += part;
		length -= part;
	}
	return length == 0 || is_made_of(text + 1, length - 1, ":@/?", is_iri);
}

bool format_uri(const char *text, size_t length)
{
	return is_identifier(text, length, true, false);
}

bool format_uri_reference(const char *text, size_t length)
{
	return is_identifier(text, length, false, false);
}

bool format_iri(const char *text, size_t length)
{
	return is_identifier(text, length, true, true);
}

bool format_iri_reference(const char *text, size_t length)
{
	return is_identifier(text, length, false, true);
}

/* --- templates: RFC 6570 section 2 ------------------------------------------------------- */

/* One name with its modifier. */
static bool is_variable(const char *text, size_t length)
{
	size_t name = until(text, length, ":*");
	size_t rest = length - name;

	if (name == 0 || text[0] == '.' || text[name - 1] == '.')
		return false;
	for (size_t i = 0; i < name; i++) {
		if (text[i] == '%') {
			if (name - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))
				return false;
			i += 2;
		} else if (!is_alnum(text[i]) && text[i] != '_' && text[i] != '.')
			return false;
	}
	if (rest == 0 || (rest == 1 && text[name] == '*'))
		return true;
	if (text[name] != ':' || rest < 2 || rest > 5 || text[name + 1] == '0')
		return false;
	for (size_t i = name + 1; i < length; i++)
		if (text[i] < '0' || text[i] > '9')
			return false;
	return true;
}

static bool is_expression(const char *text, size_t length)
{
	if (length > 0 && is_one_of(text[0], "+#./;?&=,!@|")) {
		text++;
		length--;
	}
	for (;;) {
		size_t part = until(text, length, ",");

		if (!is_variable(text, part))
			return false;
		if (part == length)
			return true;
		text += part + 1;
		length -= part + 1;
	}
}

bool format_uri_template(const char *text, size_t length)
{
	const char *end = text + length;

	while (text < end) {
		const char *close;

		if (*text == '%' && (end - text < 3 || !is_hex(text[1]) || !is_hex(text[2])))
			return false;
		if ((unsigned char)*text <= 0x20 || is_one_of(*text, "\"'<>\\^`|}"))
			return false;
		if (*text++ != '{')
			continue;
		close = memchr(text, '}', (size_t)(end - text));
		if (close == NULL || !is_expression(text, (size_t)(close - text)))
			return false;
		text = close + 1;
	}
	return true;
}
