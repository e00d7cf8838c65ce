/* Calls whose result is known when their arguments are. */
#include <ctype.h>
#include <string.h>

#include "base/utf8.h"
#include "validator/code/fold.h"
#include "validator/code/names.h"

/* Elements of one comprehension or list that are joined. */
#define ELEMENTS_MAX 8192

static struct code_value none(void)
{
	return (struct code_value){.kind = VALUE_NONE};
}

static bool add_character(struct buf *buf, double number)
{
	char bytes[4];

	if (!(number >= 0 && number <= 0x10ffff))
		return false;
	buf_add(buf, bytes, utf8_encode((uint32_t)number, bytes));
	return true;
}

static const char *function_name(struct code *code, uint32_t node)
{
	const struct code_names *names = code_names_of(code, node);

	return names->count == 1 ? code_string(code, names->ids[0]) : "";
}

/* --- elements ---------------------------------------------------------------------------- */

struct joining {
	struct buf *buf;
	const struct code_value *between;
	bool is_characters; /* each number is a character */
	uint32_t count;
};

static bool add_element(const struct code_value *value, struct joining *joining)
{
	if (joining->count++ > 0)
		buf_add(joining->buf, joining->between->text, joining->between->length);
	if (joining->is_characters && value->kind == VALUE_NUMBER)
		return add_character(joining->buf, value->number);
	return fold_write(value, joining->buf);
}

static bool add_literal(struct code *code, uint32_t literal, struct joining *joining)
{
	for (uint32_t child = code_named(code, literal); child != CODE_NONE;
	     child = code_next_named(code, child))
		if (joining->count >= ELEMENTS_MAX || !code_go(code) ||
		    !add_element(code_fold(code, child), joining))
			return false;
	return true;
}

static bool add_text(const struct code_value *text, bool is_reversed, struct joining *joining)
{
	for (size_t i = 0; i < text->length; i++) {
		size_t at = is_reversed ? text->length - 1 - i : i;
		struct code_value one = {
			.kind = VALUE_TEXT, .text = text->text + at, .length = 1};

		if (!add_element(&one, joining))
			return false;
	}
	return true;
}

/* One turn of a comprehension: its variable has this value while the body is folded. */
static bool add_turn(struct code *code, uint32_t body, uint32_t name,
		     const struct code_value *value, struct joining *joining)
{
	struct code_value result;

	if (joining->count >= ELEMENTS_MAX || value->kind == VALUE_NONE || !code_go(code))
		return false;
	code->loop_name = name;
	code->loop_body = body;
	code->loop_value = *value;
	result = *code_fold(code, body);
	code->loop_name = 0;
	return add_element(&result, joining);
}

/* chr(c ^ 1) for c in [..] or in b"..". */
static bool add_comprehension(struct code *code, uint32_t node, struct joining *joining)
{
	uint32_t body = code_field(code, node, FIELD_BODY);
	uint32_t clause = body == CODE_NONE ? CODE_NONE : code_next_named(code, body);
	uint32_t name = code_identifier(code, code_field(code, clause, FIELD_LEFT));
	uint32_t source = code_literal(code, code_field(code, clause, FIELD_RIGHT));
	const struct code_value *text = code_fold(code, source);
	enum code_kind kind = code_kind(code, source);

	if (clause == CODE_NONE || code_next_named(code, clause) != CODE_NONE || name == 0 ||
	    code->loop_name != 0)
		return false;
	for (size_t i = 0; code_is_text(text) && i < text->length; i++) {
		struct code_value one = {
			.kind = VALUE_TEXT, .text = text->text + i, .length = 1};

		if (text->kind == VALUE_BYTES)
			one = fold_number((unsigned char)text->text[i]);
		if (!add_turn(code, body, name, &one, joining))
			return false;
	}
	if (code_is_text(text))
		return true;
	if (kind != KIND_LIST && kind != KIND_TUPLE)
		return false;
	for (uint32_t child = code_named(code, source); child != CODE_NONE;
	     child = code_next_named(code, child))
		if (!add_turn(code, body, name, code_fold(code, child), joining))
			return false;
	return true;
}

static bool add_elements(struct code *code, uint32_t node, struct joining *joining)
{
	uint32_t literal = code_literal(code, node);
	const struct code_value *text = code_fold(code, literal);
	enum code_kind kind = code_kind(code, literal);
	const char *name;

	if (code_is_text(text))
		return add_text(text, false, joining);
	if (kind == KIND_LIST || kind == KIND_TUPLE)
		return add_literal(code, literal, joining);
	if (kind == KIND_COMPREHENSION)
		return add_comprehension(code, literal, joining);
	if (kind != KIND_CALL)
		return false;
	name = function_name(code, code_field(code, literal, FIELD_FUNCTION));
	if (strcmp(name, "builtins.map") == 0 &&
	    strcmp(function_name(code, code_argument(code, literal, 0)), "builtins.chr") == 0) {
		joining->is_characters = true;
		return add_elements(code, code_argument(code, literal, 1), joining);
	}
	text = code_fold(code, code_argument(code, literal, 0));
	if (strcmp(name, "builtins.reversed") == 0 && code_is_text(text))
		return add_text(text, true, joining);
	return false;
}

static struct code_value join(struct code *code, const struct code_value *between,
			      uint32_t elements)
{
	own_buf buf = {.data = NULL};
	struct joining joining = {.buf = &buf, .between = between};

	buf_init(&buf, FOLD_TEXT_MAX);
	if (!add_elements(code, elements, &joining))
		return none();
	return fold_take(code, VALUE_TEXT, &buf);
}

/* --- methods of a known text ------------------------------------------------------------- */

static struct code_value map_characters(struct code *code, const struct code_value *text,
					int (*map)(int))
{
	own_buf buf = {.data = NULL};

	buf_init(&buf, FOLD_TEXT_MAX);
	for (size_t i = 0; i < text->length; i++)
		buf_add_char(&buf, (char)map((unsigned char)text->text[i]));
	return fold_take(code, text->kind, &buf);
}

static struct code_value replace(struct code *code, const struct code_value *text,
				 uint32_t call)
{
	const struct code_value *from = code_fold(code, code_argument(code, call, 0));
	const struct code_value *to = code_fold(code, code_argument(code, call, 1));
	own_buf buf = {.data = NULL};

	if (!code_is_text(from) || !code_is_text(to) || from->length == 0)
		return none();
	buf_init(&buf, FOLD_TEXT_MAX);
	for (size_t i = 0; i < text->length;) {
		if (text->length - i >= from->length &&
		    memcmp(text->text + i, from->text, from->length) == 0) {
			buf_add(&buf, to->text, to->length);
			i += from->length;
		} else
			buf_add_char(&buf, text->text[i++]);
	}
	return fold_take(code, text->kind, &buf);
}

/* "{}{1}".format(a, b), without names and formats. */
static struct code_value format(struct code *code, const struct code_value *text, uint32_t call)
{
	uint32_t next = 0;
	own_buf buf = {.data = NULL};

	buf_init(&buf, FOLD_TEXT_MAX);
	for (size_t i = 0; i < text->length; i++) {
		uint32_t nth = 0;
		size_t at = i + 1;

		if (text->text[i] != '{') {
			buf_add_char(&buf, text->text[i]);
			continue;
		}
		while (at < text->length && isdigit((unsigned char)text->text[at]) &&
		       nth < 1000)
			nth = nth * 10 + (uint32_t)(text->text[at++] - '0');
		if (at >= text->length || text->text[at] != '}')
			return none();
		if (at == i + 1)
			nth = next++;
		if (!fold_write(code_fold(code, code_argument(code, call, nth)), &buf))
			return none();
		i = at;
	}
	return fold_take(code, text->kind, &buf);
}

static bool add_hex(const struct code_value *text, struct buf *buf)
{
	int high = -1;

	for (size_t i = 0; i < text->length; i++) {
		unsigned char c = (unsigned char)tolower((unsigned char)text->text[i]);
		int digit = isdigit(c) ? c - '0' : c - 'a' + 10;

		if (isspace(c))
			continue;
		if (!isxdigit(c))
			return false;
		if (high >= 0)
			buf_add_char(buf, (char)(high * 16 + digit));
		high = high >= 0 ? -1 : digit;
	}
	return true;
}

static int rotate(int c)
{
	if (!isalpha(c))
		return c;
	return (tolower(c) - 'a' + 13) % 26 + (isupper(c) ? 'A' : 'a');
}

static struct code_value decode(struct code *code, const struct code_value *text,
				const struct code_value *codec)
{
	own_buf buf = {.data = NULL};
	bool is_good = true;

	buf_init(&buf, FOLD_TEXT_MAX);
	if (!code_is_text(codec) || codec->length == 0)
		return *text;
	if (memmem(codec->text, codec->length, "64", 2) != NULL)
		is_good = fold_base64(text->text, text->length, &buf);
	else if (memmem(codec->text, codec->length, "hex", 3) != NULL)
		is_good = add_hex(text, &buf);
	else if (memmem(codec->text, codec->length, "13", 2) != NULL)
		return map_characters(code, text, rotate);
	else if (memmem(codec->text, codec->length, "escape", 6) != NULL)
		fold_escapes(text->text, text->length, false, &buf);
	else
		buf_add(&buf, text->text, text->length);
	return is_good ? fold_take(code, VALUE_TEXT, &buf) : none();
}

static struct code_value fold_method(struct code *code, const struct code_value *text,
				     uint32_t member, uint32_t call)
{
	static const char *const same[] = {"encode", "strip",  "trim",	 "toString",
					   "lstrip", "rstrip", "valueOf"};

	if (code_is(code, member, "join"))
		return join(code, text, code_argument(code, call, 0));
	if (code_is(code, member, "decode"))
		return decode(code, text, code_fold(code, code_argument(code, call, 0)));
	if (code_is(code, member, "replace") || code_is(code, member, "replaceAll"))
		return replace(code, text, call);
	if (code_is(code, member, "format"))
		return format(code, text, call);
	if (code_is(code, member, "lower") || code_is(code, member, "toLowerCase"))
		return map_characters(code, text, tolower);
	if (code_is(code, member, "upper") || code_is(code, member, "toUpperCase"))
		return map_characters(code, text, toupper);
	for (size_t i = 0; i < ARRAY_COUNT(same); i++)
		if (code_is(code, member, same[i]))
			return *text;
	return none();
}

/* a.concat(b, c) and [a, b].join("") of JavaScript. */
static struct code_value fold_script_method(struct code *code, uint32_t object, uint32_t member,
					    uint32_t call)
{
	static const struct code_value empty = {.kind = VALUE_TEXT, .text = ""};
	uint32_t literal = code_literal(code, object);
	const struct code_value *text = code_fold(code, object);
	const struct code_value *between = code_fold(code, code_argument(code, call, 0));
	own_buf buf = {.data = NULL};

	if (code_is(code, member, "join") && code_kind(code, literal) == KIND_LIST)
		return join(code, code_is_text(between) ? between : &empty, literal);
	if (!code_is(code, member, "concat") || !code_is_text(text))
		return none();
	buf_init(&buf, FOLD_TEXT_MAX);
	buf_add(&buf, text->text, text->length);
	for (uint32_t child = code_argument(code, call, 0); child != CODE_NONE;
	     child = code_next_named(code, child))
		if (!fold_write(code_fold(code, child), &buf))
			return none();
	return fold_take(code, VALUE_TEXT, &buf);
}

/* "olleh".split("").reverse().join(""): from the join inwards. */
static struct code_value fold_reversed(struct code *code, uint32_t object, uint32_t member)
{
	uint32_t split = CODE_NONE;
	const struct code_value *text;
	own_buf buf = {.data = NULL};

	if (!code_is(code, member, "join") || code_kind(code, object) != KIND_CALL)
		return none();
	split = code_field(code, object, FIELD_FUNCTION);
	if (!code_is(code, code_field(code, split, FIELD_MEMBER), "reverse"))
		return none();
	split = code_field(code, split, FIELD_OBJECT);
	if (code_kind(code, split) != KIND_CALL)
		return none();
	text = code_fold(
		code, code_field(code, code_field(code, split, FIELD_FUNCTION), FIELD_OBJECT));
	if (!code_is_text(text))
		return none();
	buf_init(&buf, FOLD_TEXT_MAX);
	for (size_t i = text->length; i > 0; i--)
		buf_add_char(&buf, text->text[i - 1]);
	return fold_take(code, VALUE_TEXT, &buf);
}

/* --- functions --------------------------------------------------------------------------- */

static struct code_value call_characters(struct code *code, uint32_t call)
{
	own_buf buf = {.data = NULL};

	buf_init(&buf, FOLD_TEXT_MAX);
	for (uint32_t child = code_argument(code, call, 0); child != CODE_NONE;
	     child = code_next_named(code, child)) {
		const struct code_value *value = code_fold(code, child);

		if (value->kind != VALUE_NUMBER || !add_character(&buf, value->number))
			return none();
	}
	return buf.length == 0 ? none() : fold_take(code, VALUE_TEXT, &buf);
}

static struct code_value call_text(struct code *code, uint32_t call)
{
	own_buf buf = {.data = NULL};

	buf_init(&buf, FOLD_TEXT_MAX);
	if (!fold_write(code_fold(code, code_argument(code, call, 0)), &buf))
		return none();
	return fold_take(code, VALUE_TEXT, &buf);
}

static struct code_value call_ord(struct code *code, uint32_t call)
{
	const struct code_value *value = code_fold(code, code_argument(code, call, 0));

	if (!code_is_text(value) || value->length != 1)
		return none();
	return fold_number((unsigned char)value->text[0]);
}

/* bytes([111, 115]) */
static struct code_value call_bytes(struct code *code, uint32_t call)
{
	static const struct code_value empty = {.kind = VALUE_TEXT, .text = ""};
	uint32_t argument = code_argument(code, call, 0);
	uint32_t literal = code_literal(code, argument);
	own_buf buf = {.data = NULL};
	struct joining joining = {.buf = &buf, .between = &empty, .is_characters = true};

	if (code_is_text(code_fold(code, argument)))
		return *code_fold(code, argument);
	if (code_kind(code, literal) != KIND_LIST && code_kind(code, literal) != KIND_TUPLE)
		return none();
	buf_init(&buf, FOLD_TEXT_MAX);
	if (!add_literal(code, literal, &joining))
		return none();
	return fold_take(code, VALUE_BYTES, &buf);
}

static struct code_value call_base64(struct code *code, uint32_t call)
{
	static const struct code_value codec = {
		.kind = VALUE_TEXT, .text = "base64", .length = 6};
	const struct code_value *text = code_fold(code, code_argument(code, call, 0));

	return code_is_text(text) ? decode(code, text, &codec) : none();
}

static struct code_value call_hex(struct code *code, uint32_t call)
{
	static const struct code_value codec = {.kind = VALUE_TEXT, .text = "hex", .length = 3};
	const struct code_value *text = code_fold(code, code_argument(code, call, 0));

	return code_is_text(text) ? decode(code, text, &codec) : none();
}

/* codecs.decode(x, "rot13"), Buffer.from(x, "base64") */
static struct code_value call_decode(struct code *code, uint32_t call)
{
	const struct code_value *text = code_fold(code, code_argument(code, call, 0));

	return code_is_text(text)
		       ? decode(code, text, code_fold(code, code_argument(code, call, 1)))
		       : none();
}

static struct code_value fold_function(struct code *code, uint32_t function, uint32_t call)
{
	static const struct {
		const char *name;
		struct code_value (*fold)(struct code *code, uint32_t call);
	} functions[] = {
		{"builtins.chr", call_characters},
		{"String.fromCharCode", call_characters},
		{"String.fromCodePoint", call_characters},
		{"builtins.str", call_text},
		{"String", call_text},
		{"builtins.ord", call_ord},
		{"builtins.bytes", call_bytes},
		{"builtins.bytearray", call_bytes},
		{"base64.b64decode", call_base64},
		{"base64.urlsafe_b64decode", call_base64},
		{"base64.decodebytes", call_base64},
		{"atob", call_base64},
		{"binascii.a2b_base64", call_base64},
		{"binascii.unhexlify", call_hex},
		{"binascii.a2b_hex", call_hex},
		{"builtins.bytes.fromhex", call_hex},
		{"builtins.bytearray.fromhex", call_hex},
		{"codecs.decode", call_decode},
		{"codecs.encode", call_decode},
		{"Buffer.from", call_decode},
	};
	const char *name = function_name(code, function);

	for (size_t i = 0; i < ARRAY_COUNT(functions); i++)
		if (strcmp(functions[i].name, name) == 0)
			return functions[i].fold(code, call);
	return none();
}

struct code_value fold_call(struct code *code, uint32_t node)
{
	uint32_t function = code_field(code, node, FIELD_FUNCTION);
	uint32_t member = CODE_NONE;
	uint32_t object = CODE_NONE;
	struct code_value value = none();

	if (code_kind(code, function) == KIND_ATTRIBUTE) {
		member = code_field(code, function, FIELD_MEMBER);
		object = code_field(code, function, FIELD_OBJECT);
	}
	if (member != CODE_NONE && object != CODE_NONE) {
		const struct code_value *text = code_fold(code, object);

		if (code_is_text(text))
			value = fold_method(code, text, member, node);
		if (value.kind == VALUE_NONE && code->language == CODE_JAVASCRIPT)
			value = fold_script_method(code, object, member, node);
		if (value.kind == VALUE_NONE && code->language == CODE_JAVASCRIPT)
			value = fold_reversed(code, object, member);
	}
	return value.kind != VALUE_NONE ? value : fold_function(code, function, node);
}
