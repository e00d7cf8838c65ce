#include "validator/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

void faults_init(struct faults *faults)
{
	faults->count = 0;
	faults->has_more = false;
}

/* Takes away the torn last character of a text that was cut at a byte. */
static void trim_torn(char *text, size_t length)
{
	size_t start = length;

	while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
		start--;
	if (start > 0 && ((unsigned char)text[start - 1] & 0x80) != 0 &&
	    utf8_sequence(text + start - 1, length - start + 1) == 0)
		length = start - 1;
	text[length] = '\0';
}

/* Repairs what vsnprintf() left when the text did not fit. `wanted` is its result. */
static void trim_formatted(char *text, size_t size, int wanted)
{
	if (wanted < 0)
		text[0] = '\0';
	else if ((size_t)wanted >= size)
		trim_torn(text, size - 1);
}

struct fault *faults_add(struct faults *faults, const struct place *place, const char *rule,
			 const char *format, ...)
{
	struct fault *fault;
	va_list args;

	if (faults->count == LIMIT_FAULTS) {
		faults->has_more = true;
		return NULL;
	}
	fault = &faults->list[faults->count++];
	fault->rule = rule;
	fault->line = 0;
	fault->column = 0;
	fault->offset = 0;
	fault->hint[0] = '\0';
	place_write(place, fault->pointer, sizeof(fault->pointer));
	va_start(args, format);
	trim_formatted(fault->detail, sizeof(fault->detail),
		       vsnprintf(fault->detail, sizeof(fault->detail), format, args));
	va_end(args);
	return fault;
}

void fault_hint(struct fault *fault, const char *format, ...)
{
	va_list args;

	if (fault == NULL)
		return;
	va_start(args, format);
	trim_formatted(fault->hint, sizeof(fault->hint),
		       vsnprintf(fault->hint, sizeof(fault->hint), format, args));
	va_end(args);
}

void faults_write(const struct faults *faults, struct jsonw *json)
{
	jsonw_array_open(json);
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->list[i];

		jsonw_object_open(json);
		jsonw_key_str(json, "pointer", fault->pointer);
		jsonw_key_str(json, "rule", fault->rule);
		jsonw_key_str(json, "detail", fault->detail);
		jsonw_key_str(json, "hint", fault->hint);
		if (fault->line > 0) {
			jsonw_key_u64(json, "line", fault->line);
			jsonw_key_u64(json, "column", fault->column);
			jsonw_key_u64(json, "offset", fault->offset);
		}
		jsonw_object_close(json);
	}
	jsonw_array_close(json);
}

struct pointer_out {
	char *ret;
	size_t size;
	size_t length;
};

static void pointer_put(struct pointer_out *out, const char *data, size_t length)
{
	if (out->length + length + 1 > out->size) {
		out->size = 0; /* nothing after the cut: a pointer with a gap would lie */
		return;
	}
	memcpy(out->ret + out->length, data, length);
	out->length += length;
}

/* RFC 6901 section 3: "~" is written ~0, "/" is written ~1. */
static void pointer_put_key(struct pointer_out *out, const char *key, size_t length)
{
	char shown[FAULT_POINTER_BYTES / 2];
	const char *text = text_show(shown, sizeof(shown), key, length);

	for (; *text != '\0'; text++) {
		if (*text == '~')
			pointer_put(out, "~0", 2);
		else if (*text == '/')
			pointer_put(out, "~1", 2);
		else
			pointer_put(out, text, 1);
	}
}

#define PLACE_DEPTH_MAX ((size_t)2 * LIMIT_JSON_DEPTH) /* no document is deeper */

void place_write(const struct place *place, char *ret, size_t size)
{
	const struct place *chain[PLACE_DEPTH_MAX];
	struct pointer_out out = {.ret = ret, .size = size};
	size_t depth = 0;

	for (; place != NULL && depth < PLACE_DEPTH_MAX; place = place->parent)
		chain[depth++] = place;
	while (depth-- > 0) {
		char index[24];
		int digits;

		pointer_put(&out, "/", 1);
		if (chain[depth]->key != NULL) {
			pointer_put_key(&out, chain[depth]->key, chain[depth]->length);
			continue;
		}
		digits = snprintf(index, sizeof(index), "%zu", chain[depth]->index);
		pointer_put(&out, index, digits > 0 ? (size_t)digits : 0);
	}
	trim_torn(ret, out.length);
}

const char *text_show(char *ret, size_t size, const char *data, size_t length)
{
	size_t out = 0;
	size_t at = 0;

	while (at < length) {
		size_t step = utf8_sequence(data + at, length - at);
		bool is_control =
			step == 1 && ((unsigned char)data[at] < 0x20 || data[at] == 0x7F);
		/* U+0080 to U+009F are control characters as well. */
		bool is_c1 = step == 2 && (unsigned char)data[at] == 0xC2 &&
			     (unsigned char)data[at + 1] < 0xA0;

		/* "..." and the NUL must still fit, unless all the rest does. */
		if (out + (length - at) + 1 > size && out + (step == 0 ? 1 : step) + 4 > size) {
			memcpy(ret + out, "...", 4);
			return ret;
		}
		if (step == 0 || is_control || is_c1)
			ret[out++] = '?';
		else {
			memcpy(ret + out, data + at, step);
			out += step;
		}
		at += step == 0 ? 1 : step;
	}
	ret[out] = '\0';
	return ret;
}
