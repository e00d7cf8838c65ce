#include "validator/json_guard.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

struct frame {
	json_t *container; /* borrowed: owned by its parent or by the guard's root */
	size_t key_at;	   /* where the current member's key starts in the text */
	bool is_object;
};

struct guard {
	const char *data;
	size_t length;
	size_t at;
	size_t values;
	unsigned depth;
	struct frame stack[LIMIT_JSON_DEPTH];
	json_t *root;	/* owned */
	struct buf key; /* decoded key, when it has escapes */
	struct buf text;
	const char *key_data;
	size_t key_length;
	struct faults *faults;
};

/* What the parser expects next. */
enum step { STEP_VALUE, STEP_FIRST, STEP_NEXT, STEP_END };

void json_guard_seed(size_t seed)
{
	json_object_seed(seed != 0 ? seed : 1); /* 0 would make jansson open /dev/urandom */
}

void json_guard_drop(json_t **value)
{
	json_decref(*value);
}

nodiscard static int read_string(struct guard *guard, struct buf *scratch, const char **ret,
				 size_t *ret_length);

/* --- faults ------------------------------------------------------------------------------ */

static void locate(const struct guard *guard, size_t offset, struct fault *fault)
{
	fault->line = 1;
	fault->column = 1;
	fault->offset = offset;
	for (size_t i = 0; i < offset && i < guard->length; i++) {
		if (guard->data[i] == '\n') {
			fault->line++;
			fault->column = 1;
		} else if (((unsigned char)guard->data[i] & 0xC0) != 0x80)
			fault->column++;
	}
}

/* Pointer of the value being read, rebuilt from the open containers: only a refusal pays. */
static void open_pointer(struct guard *guard, struct fault *fault)
{
	struct place places[LIMIT_JSON_DEPTH];
	struct buf keys[LIMIT_JSON_DEPTH];
	size_t at = guard->at;
	unsigned count = guard->depth;

	/* An object without a first key: the fault is the object's. */
	if (count > 0 && guard->stack[count - 1].is_object &&
	    guard->stack[count - 1].key_at == 0)
		count--;
	for (unsigned i = 0; i < count; i++) {
		const struct frame *frame = &guard->stack[i];

		places[i] = (struct place){.parent = i > 0 ? &places[i - 1] : NULL};
		buf_init(&keys[i], guard->length);
		if (!frame->is_object) {
			/* A container that is open was appended already; a scalar was not yet.
			 */
			places[i].index = json_array_size(frame->container) -
					  (i + 1 < guard->depth ? 1 : 0);
			continue;
		}
		guard->at = frame->key_at;
		if (read_string(guard, &keys[i], &places[i].key, &places[i].length) != 0) {
			places[i].key = "?"; /* the key itself is the fault */
			places[i].length = 1;
		}
	}
	guard->at = at;
	place_write(count > 0 ? &places[count - 1] : NULL, fault->pointer,
		    sizeof(fault->pointer));
	for (unsigned i = 0; i < count; i++)
		buf_done(&keys[i]);
}

/* Every refusal ends here: "line L, column C (byte B): sentence". */
static int refuse(struct guard *guard, size_t offset, const char *rule, const char *hint,
		  const char *sentence)
{
	struct fault where = {0};
	struct fault *fault;

	if (guard->faults->count > 0)
		return -EBADMSG; /* already refused: this is open_pointer() reading a key again
				  */
	locate(guard, offset, &where);
	fault = faults_add(guard->faults, NULL, rule, "line %zu, column %zu (byte %zu): %s",
			   where.line, where.column, where.offset, sentence);
	if (fault == NULL)
		return -EBADMSG;
	fault->line = where.line;
	fault->column = where.column;
	fault->offset = where.offset;
	fault_hint(fault, "%s", hint);
	open_pointer(guard, fault);
	return -EBADMSG;
}

static int refuse_end(struct guard *guard, const char *sentence)
{
	return refuse(guard, guard->length, "json-truncated",
		      "Send the whole document; check that Content-Length counts bytes.",
		      sentence);
}

static int refuse_byte(struct guard *guard, const char *wanted, const char *hint)
{
	char text[96];
	unsigned char byte = (unsigned char)guard->data[guard->at];

	if (byte > 0x20 && byte < 0x7F)
		(void)snprintf(text, sizeof(text), "%s expected, found '%c'", wanted, byte);
	else
		(void)snprintf(text, sizeof(text), "%s expected, found byte 0x%02X", wanted,
			       byte);
	return refuse(guard, guard->at, "json-syntax", hint, text);
}

/* --- strings ----------------------------------------------------------------------------- */

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static int read_hex4(struct guard *guard, size_t at, unsigned *ret)
{
	unsigned value = 0;

	for (size_t i = at; i < at + 4; i++) {
		unsigned char c;

		if (i >= guard->length)
			return refuse_end(guard, "the text ends inside a \\u escape");
		c = (unsigned char)guard->data[i];
		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value * 16 + ((c | 0x20u) - 'a' + 10);
		else
			return refuse(guard, at - 2, "json-syntax",
				      "Write four hexadecimal digits after \\u, or \\\\u for "
				      "the text.",
				      "\\u is not followed by four hexadecimal digits");
	}
	*ret = value;
	return 0;
}

static void add_code_point(struct buf *buf, unsigned value)
{
	char bytes[4];

	buf_add(buf, bytes, utf8_encode(value, bytes));
}

/* guard->at is at the backslash of \uXXXX. */
static int read_unicode_escape(struct guard *guard, struct buf *scratch)
{
	static const char *const lone_hint =
		"Send the character itself in UTF-8, or both halves of the pair.";
	unsigned first;
	unsigned second = 0;
	size_t start = guard->at;

	if (read_hex4(guard, start + 2, &first) != 0)
		return -EBADMSG;
	if (first == 0)
		return refuse(guard, start, "json-nul",
			      "Remove the NUL; send binary data in "
			      "files with encoding base64.",
			      "\\u0000 in a string");
	guard->at += 6;
	if (first < 0xD800 || first > 0xDFFF) {
		add_code_point(scratch, first);
		return 0;
	}
	if (first < 0xDC00 && guard->length - guard->at >= 2 &&
	    guard->data[guard->at] == '\\' && guard->data[guard->at + 1] == 'u' &&
	    read_hex4(guard, guard->at + 2, &second) != 0)
		return -EBADMSG;
	if (second < 0xDC00 || second > 0xDFFF)
		return refuse(guard, start, "json-surrogate", lone_hint,
			      "half of a surrogate pair stands alone");
	guard->at += 6;
	add_code_point(scratch, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
	return 0;
}

static int read_escape(struct guard *guard, struct buf *scratch)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (guard->at + 1 >= guard->length)
		return refuse_end(guard, "the text ends inside a string");
	if (guard->data[guard->at + 1] == 'u')
		return read_unicode_escape(guard, scratch);
	found = memchr(names, guard->data[guard->at + 1], sizeof(names) - 1);
	if (found == NULL)
		return refuse(
			guard, guard->at, "json-syntax",
			"JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX; write a "
			"backslash itself as \\\\.",
			"unknown escape in a string");
	buf_add_char(scratch, values[found - names]);
	guard->at += 2;
	return 0;
}

/* The byte at guard->at ends a run of plain characters and is no quote or backslash. */
static int read_special(struct guard *guard)
{
	unsigned char c = (unsigned char)guard->data[guard->at];
	size_t step;

	if (c < 0x20)
		return refuse(guard, guard->at, "json-syntax",
			      "Escape it: a line break is \\n, a tab is \\t.",
			      c == '\n' ? "a raw line break in a string"
					: "a raw control character in a string");
	step = utf8_sequence(guard->data + guard->at, guard->length - guard->at);
	if (step == 0)
		return refuse(
			guard, guard->at, "json-utf8",
			"Encode the body as UTF-8; send binary data in files with encoding "
			"base64.",
			"the bytes here are not UTF-8");
	guard->at += step;
	return 0;
}

/* guard->at is at the opening quote. The text is either a part of the input or in `scratch`. */
static int read_string(struct guard *guard, struct buf *scratch, const char **ret,
		       size_t *ret_length)
{
	size_t run = ++guard->at;
	bool is_decoded = false;

	scratch->length = 0;
	for (;;) {
		int status = 0;

		while (guard->at < guard->length &&
		       is_plain((unsigned char)guard->data[guard->at]))
			guard->at++;
		if (guard->at >= guard->length)
			return refuse_end(guard, "the text ends inside a string");
		if (guard->data[guard->at] == '"')
			break;
		if (guard->data[guard->at] == '\\') {
			buf_add(scratch, guard->data + run, guard->at - run);
			status = read_escape(guard, scratch);
			run = guard->at;
			is_decoded = true;
		} else
			status = read_special(guard);
		if (status != 0)
			return status;
	}
	*ret = guard->data + run;
	*ret_length = guard->at - run;
	if (is_decoded) {
		buf_add(scratch, guard->data + run, guard->at - run);
		*ret = scratch->data;
		*ret_length = scratch->length;
	}
	guard->at++;
	return buf_check(scratch, NULL) == 0 ? 0 : -ENOMEM;
}

/* --- numbers ----------------------------------------------------------------------------- */

static size_t digits_from(const struct guard *guard, size_t at)
{
	while (at < guard->length && guard->data[at] >= '0' && guard->data[at] <= '9')
		at++;
	return at;
}

/* Checks the grammar of RFC 8259 section 6 and sets the end. */
static int scan_number(struct guard *guard, size_t *ret_end, bool *ret_is_integer)
{
	static const char *const hint = "Write numbers like 0, -12, 3.5 or 1e6.";
	size_t start = guard->at + (guard->data[guard->at] == '-' ? 1 : 0);
	size_t end = digits_from(guard, start);
	size_t part;

	*ret_is_integer = true;
	if (end == start)
		return refuse(guard, guard->at, "json-syntax", hint, "a minus without digits");
	if (guard->data[start] == '0' && end > start + 1)
		return refuse(guard, start, "json-syntax", hint,
			      "a number with a leading zero");
	if (end < guard->length && guard->data[end] == '.') {
		*ret_is_integer = false;
		part = end + 1;
		end = digits_from(guard, part);
		if (end == part)
			return refuse(guard, end, "json-syntax", hint,
				      "no digits after the point");
	}
	if (end < guard->length && (guard->data[end] | 0x20) == 'e') {
		*ret_is_integer = false;
		part = end + 1;
		if (part < guard->length &&
		    (guard->data[part] == '+' || guard->data[part] == '-'))
			part++;
		end = digits_from(guard, part);
		if (end == part)
			return refuse(guard, end, "json-syntax", hint,
				      "no digits in the exponent");
	}
	*ret_end = end;
	return 0;
}

static int read_number(struct guard *guard, json_t **ret)
{
	static const char *const hint =
		"Send an integer of at most 18 digits or a smaller number.";
	char text[JSON_GUARD_NUMBER_BYTES + 1];
	size_t start = guard->at;
	size_t end = start;
	bool is_integer = false;
	int status = scan_number(guard, &end, &is_integer);

	if (status != 0)
		return status;
	if (end - start > JSON_GUARD_NUMBER_BYTES)
		return refuse(guard, start, "json-number", hint,
			      "the number has too many digits");
	memcpy(text, guard->data + start, end - start);
	text[end - start] = '\0';
	errno = 0;
	if (is_integer) {
		long long value = strtoll(text, NULL, 10);

		if (errno == ERANGE)
			return refuse(guard, start, "json-number", hint,
				      "the integer does not fit 64 bits");
		*ret = json_integer(value);
	} else {
		double value = strtod(text, NULL);

		if (!isfinite(value))
			return refuse(guard, start, "json-number", hint,
				      "the number is too large");
		*ret = json_real(value);
	}
	guard->at = end;
	return *ret != NULL ? 0 : -ENOMEM;
}

/* --- words: what is JSON, and what people and models write instead ----------------------- */

struct word {
	const char *text;
	json_t *(*make)(void); /* NULL: refused with the hint */
	const char *hint;
};

static const struct word words[] = {
	{"true", json_true, NULL},
	{"false", json_false, NULL},
	{"null", json_null, NULL},
	{"True", NULL, "Write true."},
	{"False", NULL, "Write false."},
	{"None", NULL, "Write null."},
	{"undefined", NULL, "Write null, or leave the member out."},
	{"NaN", NULL, "JSON has no NaN; write null or leave the member out."},
	{"Infinity", NULL, "JSON has no Infinity; write a number or leave the member out."},
	{"-Infinity", NULL, "JSON has no Infinity; write a number or leave the member out."},
	{"'", NULL, "Quote strings with \", not with '."},
	{"//", NULL, "JSON has no comments; remove it."},
	{"/*", NULL, "JSON has no comments; remove it."},
	{"#", NULL, "JSON has no comments; remove it."},
	{"+", NULL, "Write the number without the plus sign."},
	{".", NULL, "Write a zero before the decimal point."},
	{"}", NULL, "Remove the comma before the closing bracket, or add the missing value."},
	{"]", NULL, "Remove the comma before the closing bracket, or add the missing value."},
};

static const struct word *find_word(const struct guard *guard)
{
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		size_t length = strlen(words[i].text);

		if (guard->length - guard->at >= length &&
		    memcmp(guard->data + guard->at, words[i].text, length) == 0)
			return &words[i];
	}
	return NULL;
}

/* True when the rest of the text is the beginning of a literal: cut off, not wrong. */
static bool is_cut_word(const struct guard *guard)
{
	size_t left = guard->length - guard->at;

	for (size_t i = 0; i < 3; i++)
		if (left < strlen(words[i].text) &&
		    memcmp(guard->data + guard->at, words[i].text, left) == 0)
			return true;
	return false;
}

static int read_word(struct guard *guard, json_t **ret)
{
	const struct word *word = find_word(guard);

	if (word != NULL && word->make != NULL) {
		*ret = word->make();
		guard->at += strlen(word->text);
		return 0;
	}
	if (is_cut_word(guard))
		return refuse_end(guard, "the text ends inside a value");
	return refuse_byte(
		guard, "a value",
		word != NULL ? word->hint
			     : "A value is a string in double quotes, a number, true, false, "
			       "null, an object or an array.");
}

/* --- structure --------------------------------------------------------------------------- */

static void skip_space(struct guard *guard)
{
	while (guard->at < guard->length &&
	       (guard->data[guard->at] == ' ' || guard->data[guard->at] == '\n' ||
		guard->data[guard->at] == '\t' || guard->data[guard->at] == '\r'))
		guard->at++;
}

/* Gives `take_value` to the open container. */
static int attach(struct guard *guard, json_t *take_value)
{
	struct frame *frame = guard->depth > 0 ? &guard->stack[guard->depth - 1] : NULL;
	int status;

	if (take_value == NULL)
		return -ENOMEM;
	if (frame == NULL) {
		guard->root = take_value;
		return 0;
	}
	if (frame->is_object)
		status = json_object_setn_new_nocheck(frame->container, guard->key_data,
						      guard->key_length, take_value);
	else
		status = json_array_append_new(frame->container, take_value);
	return status == 0 ? 0 : -ENOMEM;
}

static int open_container(struct guard *guard, bool is_object)
{
	json_t *container;
	int status;

	if (guard->depth == LIMIT_JSON_DEPTH)
		return refuse(guard, guard->at, "json-depth",
			      "Nest objects and arrays less deeply.",
			      "arrays and objects are nested too deeply");
	container = is_object ? json_object() : json_array();
	status = attach(guard, container);
	if (status != 0)
		return status;
	guard->stack[guard->depth++] =
		(struct frame){.container = container, .is_object = is_object};
	guard->at++;
	return 0;
}

static int read_key(struct guard *guard)
{
	struct frame *frame = &guard->stack[guard->depth - 1];
	char shown[64];
	char sentence[128];
	int status;

	if (guard->at >= guard->length)
		return refuse_end(guard, "the text ends inside an object");
	if (guard->data[guard->at] != '"') {
		bool is_close = guard->data[guard->at] == '}';

		/* The fault is the object's: no member has begun. */
		guard->depth--;
		return refuse_byte(guard, "a key",
				   is_close ? "Remove the comma before the closing bracket."
					    : "Keys are strings in double quotes.");
	}
	frame->key_at = guard->at;
	status = read_string(guard, &guard->key, &guard->key_data, &guard->key_length);
	if (status != 0)
		return status;
	if (json_object_getn(frame->container, guard->key_data, guard->key_length) != NULL) {
		(void)snprintf(
			sentence, sizeof(sentence), "the key \"%s\" comes twice in one object",
			text_show(shown, sizeof(shown), guard->key_data, guard->key_length));
		return refuse(guard, frame->key_at, "json-duplicate-key",
			      "Keep one of the two members.", sentence);
	}
	skip_space(guard);
	if (guard->at >= guard->length)
		return refuse_end(guard, "the text ends after a key");
	if (guard->data[guard->at] != ':')
		return refuse_byte(guard, "':' after the key",
				   "Separate key and value by a colon.");
	guard->at++;
	return 0;
}

static int step_value(struct guard *guard, enum step *step)
{
	json_t *value = NULL;
	const char *text;
	size_t length;
	int status;
	char c;

	if (guard->at >= guard->length)
		return refuse_end(guard, "the text ends where a value should be");
	if (++guard->values > JSON_GUARD_VALUES_MAX)
		return refuse(guard, guard->at, "json-size", "Send fewer values.",
			      "the document has too many values");
	c = guard->data[guard->at];
	*step = STEP_NEXT;
	if (c == '{' || c == '[') {
		*step = STEP_FIRST;
		return open_container(guard, c == '{');
	}
	if (c == '"') {
		status = read_string(guard, &guard->text, &text, &length);
		if (status == 0)
			value = json_stringn_nocheck(text, length);
	} else if ((c >= '0' && c <= '9') || (c == '-' && (guard->at + 1 >= guard->length ||
							   guard->data[guard->at + 1] != 'I')))
		status = read_number(guard, &value);
	else
		status = read_word(guard, &value);
	return status == 0 ? attach(guard, value) : status;
}

/* After an opening bracket: the closing one, or the first member. */
static int step_first(struct guard *guard, enum step *step)
{
	const struct frame *frame = &guard->stack[guard->depth - 1];

	if (guard->at < guard->length &&
	    guard->data[guard->at] == (frame->is_object ? '}' : ']')) {
		guard->at++;
		guard->depth--;
		*step = STEP_NEXT;
		return 0;
	}
	*step = STEP_VALUE;
	return frame->is_object ? read_key(guard) : 0;
}

/* After a value: a comma, a closing bracket, or the end of the text. */
static int step_next(struct guard *guard, enum step *step)
{
	const struct frame *frame;
	char c;

	if (guard->depth == 0) {
		*step = STEP_END;
		if (guard->at == guard->length)
			return 0;
		return refuse(guard, guard->at, "json-trailing",
			      "Send one document and nothing else.",
			      "something follows the end of the document");
	}
	frame = &guard->stack[guard->depth - 1];
	if (guard->at >= guard->length)
		return refuse_end(guard, frame->is_object ? "the text ends inside an object"
							  : "the text ends inside an array");
	c = guard->data[guard->at];
	if (c == (frame->is_object ? '}' : ']')) {
		guard->at++;
		guard->depth--;
		*step = STEP_NEXT;
		return 0;
	}
	if (c != ',')
		return refuse_byte(
			guard, frame->is_object ? "',' or '}'" : "',' or ']'",
			"Separate members by commas; escape a double quote in a string "
			"as \\\".");
	guard->at++;
	skip_space(guard);
	*step = STEP_VALUE;
	return frame->is_object ? read_key(guard) : 0;
}

static int run(struct guard *guard)
{
	enum step step = STEP_VALUE;
	int status = 0;

	while (status == 0 && step != STEP_END) {
		skip_space(guard);
		if (step == STEP_VALUE)
			status = step_value(guard, &step);
		else if (step == STEP_FIRST)
			status = step_first(guard, &step);
		else
			status = step_next(guard, &step);
	}
	return status;
}

/* --- the text as a whole ----------------------------------------------------------------- */

static int check_text(struct guard *guard)
{
	static const char *const utf8_hint =
		"Encode the body as UTF-8 without a byte order mark.";
	const unsigned char *data = (const unsigned char *)guard->data;
	const char *nul = memchr(guard->data, '\0', guard->length);
	bool has_utf16_mark = guard->length >= 2 && ((data[0] == 0xFE && data[1] == 0xFF) ||
						     (data[0] == 0xFF && data[1] == 0xFE));

	if (has_utf16_mark)
		return refuse(guard, 0, "json-utf8", utf8_hint, "the text is UTF-16 or UTF-32");
	if (nul != NULL)
		return refuse(guard, (size_t)(nul - guard->data), "json-nul",
			      nul - guard->data < 4
				      ? utf8_hint
				      : "Remove the NUL byte; send binary data in files "
					"with encoding base64.",
			      nul - guard->data < 4
				      ? "a NUL byte: the text seems to be UTF-16 or UTF-32"
				      : "a NUL byte in the text");
	if (guard->length >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
		return refuse(guard, 0, "json-bom", utf8_hint,
			      "the text begins with a byte order mark");
	skip_space(guard);
	if (guard->at == guard->length)
		return refuse(guard, 0, "json-empty", "Send a JSON object.",
			      "the body is empty");
	return 0;
}

int json_guard_parse(const char *data, size_t length, json_t **ret, struct faults *faults)
{
	struct guard guard;
	int status;

	/* Not an initialiser: clearing the whole stack for each request would be waste. */
	guard.data = data;
	guard.length = length;
	guard.at = 0;
	guard.values = 0;
	guard.depth = 0;
	guard.root = NULL;
	guard.faults = faults;
	buf_init(&guard.key, length);
	buf_init(&guard.text, length);
	faults_init(faults);
	status = check_text(&guard);
	if (status == 0)
		status = run(&guard);
	buf_done(&guard.key);
	buf_done(&guard.text);
	if (status == 0)
		*ret = guard.root;
	else
		json_decref(guard.root);
	return status;
}
