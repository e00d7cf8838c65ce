/* Literals of Python and JavaScript, and the escapes that all three languages share. */
#include <ctype.h>
#include <string.h>

#include "base/utf8.h"
#include "validator/code/fold.h"

static size_t read_digits(const char *text, size_t length, size_t most, int base,
			  uint32_t *value)
{
	size_t used = 0;

	*value = 0;
	while (used < length && used < most) {
		unsigned char c = (unsigned char)tolower((unsigned char)text[used]);
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
						   : 99;

		if (digit >= base)
			break;
		*value = *value * (uint32_t)base + (uint32_t)digit;
		used++;
	}
	return used;
}

static void add_scalar(struct buf *buf, uint32_t value)
{
	char bytes[4];

	if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		value = 0xfffd;
	buf_add(buf, bytes, utf8_encode(value, bytes));
}

static bool add_simple(struct buf *buf, char c)
{
	static const char from[] = "nrtabfve";
	static const char to[] = "\n\r\t\a\b\f\v\033";
	const char *found = c == '\0' ? NULL : strchr(from, c);

	if (found != NULL)
		buf_add_char(buf, to[found - from]);
	return found != NULL;
}

/* What follows a backslash; returns how much of it was used. */
static size_t add_escape(const char *text, size_t length, bool is_shell, struct buf *buf)
{
	uint32_t value;
	size_t used;
	size_t most = text[0] == 'x' ? 2 : text[0] == 'u' ? 4 : text[0] == 'U' ? 8 : 0;

	if (text[0] == 'u' && length > 1 && text[1] == '{') {
		used = read_digits(text + 2, length - 2, 6, 16, &value);
		add_scalar(buf, value);
		return used + 2 + (used + 2 < length);
	}
	if (most > 0) {
		used = read_digits(text + 1, length - 1, most, 16, &value);
		if (used > 0)
			add_scalar(buf, value);
		return used + 1;
	}
	if (text[0] >= '0' && text[0] <= '7') {
		used = read_digits(text, length, is_shell && text[0] == '0' ? 4 : 3, 8, &value);
		add_scalar(buf, value & 0xff);
		return used;
	}
	if (text[0] != '\n' && !add_simple(buf, text[0])) {
		if (isalpha((unsigned char)text[0]))
			buf_add_char(buf, '\\');
		buf_add_char(buf, text[0]);
	}
	return 1;
}

void fold_escapes(const char *text, size_t length, bool is_shell, struct buf *buf)
{
	size_t i = 0;

	while (i < length) {
		const char *slash = memchr(text + i, '\\', length - i);
		size_t plain = slash == NULL ? length - i : (size_t)(slash - (text + i));

		buf_add(buf, text + i, plain);
		i += plain;
		if (i + 1 < length)
			i += 1 + add_escape(text + i + 1, length - i - 1, is_shell, buf);
		else if (i < length)
			i++;
	}
}

bool fold_base64(const char *text, size_t length, struct buf *buf)
{
	uint32_t bits = 0;
	int count = 0;

	for (size_t i = 0; i < length && text[i] != '='; i++) {
		static const char digits[] =
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
		char c = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
		const char *digit = c == '\0' ? NULL : strchr(digits, c);

		if (isspace((unsigned char)c))
			continue;
		if (digit == NULL)
			return false;
		bits = bits << 6 | (uint32_t)(digit - digits);
		count += 6;
		if (count >= 8) {
			count -= 8;
			buf_add_char(buf, (char)(bits >> count & 0xff));
		}
	}
	return true;
}

/* f"{x}" without a format of its own. */
static bool add_interpolation(struct code *code, uint32_t node, struct buf *buf)
{
	uint32_t expression = code_named(code, node);

	if (expression == CODE_NONE || code_next_named(code, expression) != CODE_NONE)
		return false;
	return fold_write(code_fold(code, expression), buf);
}

/* {{ and }} of a formatted literal are braces. */
static void add_content(const char *text, size_t length, bool is_raw, bool is_formatted,
			struct buf *buf)
{
	own_buf plain = {.data = NULL};

	buf_init(&plain, FOLD_TEXT_MAX);
	for (size_t i = 0; is_formatted && i < length; i++) {
		buf_add_char(&plain, text[i]);
		if ((text[i] == '{' || text[i] == '}') && i + 1 < length &&
		    text[i + 1] == text[i])
			i++;
	}
	if (is_formatted) {
		text = plain.data != NULL ? plain.data : "";
		length = plain.length;
		buf->has_failed |= plain.has_failed;
	}
	if (is_raw)
		buf_add(buf, text, length);
	else
		fold_escapes(text, length, false, buf);
}

static bool has_letter(struct code *code, uint32_t node, char letter)
{
	const char *text = code_text(code, node);
	size_t length = code_length(code, node);

	for (size_t i = 0; i < length && isalpha((unsigned char)text[i]); i++)
		if (tolower((unsigned char)text[i]) == letter)
			return true;
	return false;
}

static struct code_value fold_python(struct code *code, uint32_t node)
{
	uint32_t start = code_child(code, node);
	struct code_value none = {.kind = VALUE_NONE};
	own_buf buf = {.data = NULL};
	bool is_raw;
	bool is_formatted;

	if (start == CODE_NONE)
		return none;
	is_raw = has_letter(code, start, 'r');
	is_formatted = has_letter(code, start, 'f');
	buf_init(&buf, FOLD_TEXT_MAX);
	for (uint32_t part = code_next(code, start); part != CODE_NONE;
	     part = code_next(code, part)) {
		enum code_kind kind = code_kind(code, part);

		if (kind == KIND_INTERPOLATION && !add_interpolation(code, part, &buf))
			return none;
		if (kind == KIND_STRING_CONTENT)
			add_content(code_text(code, part), code_length(code, part), is_raw,
				    is_formatted, &buf);
	}
	return fold_take(code, has_letter(code, start, 'b') ? VALUE_BYTES : VALUE_TEXT, &buf);
}

struct code_value fold_string(struct code *code, uint32_t node)
{
	size_t length = code_length(code, node);
	own_buf buf = {.data = NULL};

	if (code->language == CODE_PYTHON)
		return fold_python(code, node);
	if (code->language == CODE_BASH)
		return fold_shell_string(code, node);
	if (length < 2)
		return (struct code_value){.kind = VALUE_NONE};
	buf_init(&buf, FOLD_TEXT_MAX);
	fold_escapes(code_text(code, node) + 1, length - 2, false, &buf);
	return fold_take(code, VALUE_TEXT, &buf);
}

struct code_value fold_template(struct code *code, uint32_t node)
{
	own_buf buf = {.data = NULL};

	buf_init(&buf, FOLD_TEXT_MAX);
	for (uint32_t part = code_named(code, node); part != CODE_NONE;
	     part = code_next_named(code, part)) {
		if (code_kind(code, part) != KIND_INTERPOLATION)
			fold_escapes(code_text(code, part), code_length(code, part), false,
				     &buf);
		else if (!add_interpolation(code, part, &buf))
			return (struct code_value){.kind = VALUE_NONE};
	}
	return fold_take(code, VALUE_TEXT, &buf);
}
