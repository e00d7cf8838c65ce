/*
 * validator/schema_format.h - the formats of section 7.3, each a predicate over UTF-8 text.
 * idn-hostname stays an annotation: its rules need tables larger than this library.
 */
#ifndef VALIDATOR_SCHEMA_FORMAT_H
#define VALIDATOR_SCHEMA_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

struct schema_format {
	const char *name;
	bool (*is_good)(const char *text, size_t length);
	const char *example; /* for the hint */
};

/* NULL: not known, so an annotation. */
const struct schema_format *schema_format_find(const char *name);

/* schema_format_net.c */
bool format_email(const char *text, size_t length);
bool format_idn_email(const char *text, size_t length);
bool format_hostname(const char *text, size_t length);
bool format_ipv4(const char *text, size_t length);
bool format_ipv6(const char *text, size_t length);
bool format_uri(const char *text, size_t length);
bool format_uri_reference(const char *text, size_t length);
bool format_iri(const char *text, size_t length);
bool format_iri_reference(const char *text, size_t length);
bool format_uri_template(const char *text, size_t length);

#endif
