#include "validator/code/code.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"
#include "validator/code/parser_memory.h"

/* Bytes of one block of the arena. */
#define PIECE_BYTES 65536

/* --- memory ------------------------------------------------------------------------------ */

struct code_piece {
	struct code_piece *next;
	size_t used, size;
	_Alignas(16) char data[];
};

void *code_alloc(struct code *code, size_t bytes)
{
	size_t rounded = (bytes + 15) & ~(size_t)15;
	struct code_piece *piece = code->pieces;

	if (rounded < bytes || rounded > CODE_ARENA_BYTES_MAX) {
		code->is_over = true;
		return NULL;
	}
	if (piece == NULL || piece->size - piece->used < rounded) {
		size_t size = rounded > PIECE_BYTES ? rounded : PIECE_BYTES;

		piece = code->arena_bytes + size > CODE_ARENA_BYTES_MAX
				? NULL
				: malloc(sizeof(*piece) + size);
		if (piece == NULL) {
			code->is_over = true;
			return NULL;
		}
		piece->used = 0;
		piece->size = size;
		piece->next = code->pieces;
		code->pieces = piece;
		code->arena_bytes += size;
	}
	piece->used += rounded;
	return piece->data + piece->used - rounded;
}

/* --- strings ----------------------------------------------------------------------------- */

/* Lists by hash: one for so many bytes of text, within these bounds. */
#define BYTES_PER_HEAD 16
#define HEADS_MIN      64
#define HEADS_MAX      4096

/* Names and parts of names in one source. */
#define STRINGS_MAX (1u << 20)

struct string {
	struct string *next;
	uint64_t *note;
	uint32_t id;
	char text[];
};

struct code_strings {
	struct string **list; /* by id - 1 */
	uint32_t count, capacity;
	uint32_t mask;
	struct string *heads[];
};

static struct code_strings *strings_new(size_t length)
{
	size_t heads = HEADS_MIN;
	struct code_strings *strings;

	while (heads < HEADS_MAX && heads < length / BYTES_PER_HEAD)
		heads *= 2;
	strings = calloc(1, sizeof(*strings) + heads * sizeof(struct string *));
	if (strings != NULL)
		strings->mask = (uint32_t)heads - 1;
	return strings;
}

static uint32_t hash(const char *text, size_t length)
{
	uint32_t value = 2166136261u;

	for (size_t i = 0; i < length; i++)
		value = (value ^ (uint8_t)text[i]) * 16777619u;
	return value ^ (value >> 15);
}

static bool has_room(struct code *code)
{
	struct code_strings *strings = code->strings;
	uint32_t wanted = strings->capacity == 0 ? 64 : strings->capacity * 2;
	struct string **list;

	if (strings->count < strings->capacity)
		return true;
	list = wanted > STRINGS_MAX ? NULL
				    : realloc(strings->list, wanted * sizeof(struct string *));
	if (list == NULL) {
		code->is_over = true;
		return false;
	}
	strings->list = list;
	strings->capacity = wanted;
	return true;
}

static uint32_t add_string(struct code *code, struct string **head, const char *text,
			   size_t length)
{
	struct code_strings *strings = code->strings;
	struct string *string;

	if (!has_room(code))
		return 0;
	string = code_alloc(code, sizeof(*string) + length + 1);
	if (string == NULL)
		return 0;
	memcpy(string->text, text, length);
	string->text[length] = '\0';
	string->note = NULL;
	string->next = *head;
	*head = string;
	strings->list[strings->count++] = string;
	string->id = strings->count;
	return string->id;
}

/* A NUL would make two names look alike, so the string ends before it. */
uint32_t code_intern(struct code *code, const char *text, size_t length)
{
	size_t used = strnlen(text, length);
	struct string **head = &code->strings->heads[hash(text, used) & code->strings->mask];

	for (struct string *string = *head; string != NULL; string = string->next)
		if (strncmp(string->text, text, used) == 0 && string->text[used] == '\0')
			return string->id;
	return add_string(code, head, text, used);
}

uint32_t code_intern_text(struct code *code, const char *text)
{
	return code_intern(code, text, strlen(text));
}

const char *code_string(const struct code *code, uint32_t id)
{
	return id == 0 ? "" : code->strings->list[id - 1]->text;
}

uint64_t **code_note(const struct code *code, uint32_t id)
{
	return id == 0 ? NULL : &code->strings->list[id - 1]->note;
}

/* --- time -------------------------------------------------------------------------------- */

static uint64_t used_us(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

bool code_is_late(struct code *code)
{
	if (!code->is_over && used_us() >= code->deadline_us) {
		code->is_over = true;
		code->limit = CODE_TOO_SLOW;
	}
	return code->is_over;
}

bool code_spend(struct code *code, size_t steps)
{
	uint32_t before = code->steps_left;

	if (code->is_over)
		return false;
	code->steps_left = before > steps ? before - (uint32_t)steps : 0;
	if (code->steps_left == 0 ||
	    (before / CODE_STEPS_PER_LOOK != code->steps_left / CODE_STEPS_PER_LOOK &&
	     used_us() >= code->deadline_us)) {
		code->is_over = true;
		code->limit = CODE_TOO_SLOW;
	}
	return !code->is_over;
}

/* --- parsing ----------------------------------------------------------------------------- */

/* The source is handed over in pieces, and with each of them the clock is looked at. The parser
 * asks for its flag between tokens only: of a source that is one token of 1 MiB it reads all,
 * which was seen to take 0.15 s. To say that the text ends here, once time is over, was tried
 * and is no way out: version 0.20.7 then crashes. */
#define PARSE_PIECE_BYTES 1024

/* The parser's own limit is by the wall, which a busy machine makes long; it is there for what
 * takes long without reading on, as trying to recover from errors does. Of 900 hostile sources
 * the worst had 0.12 s of processor time. */
#define PARSE_WALL_FACTOR 20

struct input {
	const struct code *code;
	size_t is_late; /* the parser's flag: it stops when this is not 0 */
};

static const char *read_piece(void *payload, uint32_t at, TSPoint point, uint32_t *ret_length)
{
	struct input *input = payload;
	size_t left = at < input->code->length ? input->code->length - at : 0;

	(void)point;
	if (used_us() >= input->code->deadline_us)
		input->is_late = 1;
	*ret_length = (uint32_t)(left < PARSE_PIECE_BYTES ? left : PARSE_PIECE_BYTES);
	/* The shell's grammar wants the last line to end. */
	if (left == 0 && at == input->code->length && input->code->language == CODE_BASH) {
		*ret_length = 1;
		return "\n";
	}
	return left > 0 ? input->code->text + at : "";
}

/* NULL: out of time. The parser is then given up: it could be resumed, but nothing here needs
 * that. */
static TSTree *parse_within(struct code *code, TSParser *parser, uint64_t time_us)
{
	struct input input = {.code = code};
	TSInput source = {
		.payload = &input, .read = read_piece, .encoding = TSInputEncodingUTF8};

	ts_parser_set_timeout_micros(parser, time_us * PARSE_WALL_FACTOR);
	ts_parser_set_cancellation_flag(parser, &input.is_late);
	return ts_parser_parse(parser, NULL, source);
}

static int parse(struct code *code, uint64_t time_us, TSTree **ret, struct err *err)
{
	TSParser *parser = ts_parser_new();

	if (parser == NULL || !ts_parser_set_language(parser, code_grammar(code->language))) {
		ts_parser_delete(parser);
		return err_set(err, ENOTSUP, "the library does not know the %s grammar",
			       code_language_name(code->language));
	}
	*ret = parse_within(code, parser, time_us);
	ts_parser_delete(parser);
	if (*ret == NULL)
		code->limit = CODE_TOO_SLOW;
	return 0;
}

/* --- flattening -------------------------------------------------------------------------- */

static bool is_scope(enum code_kind kind)
{
	return kind == KIND_FUNCTION || kind == KIND_LAMBDA || kind == KIND_CLASS;
}

/* A function's name belongs to what is around it, and so do defaults of its parameters. */
static uint32_t scope_below(const struct code *code, uint32_t parent, uint8_t field)
{
	const struct code_node *node = &code->nodes[parent];
	bool is_outside =
		field == FIELD_NAME || (node->kind == KIND_CLASS && field != FIELD_BODY);

	if (is_scope((enum code_kind)node->kind) && !is_outside && code->language != CODE_BASH)
		return parent;
	if (node->kind == KIND_DEFAULT_PARAMETER &&
	    (field == FIELD_VALUE || field == FIELD_RIGHT) && node->scope != 0)
		return code->nodes[node->scope].scope;
	return node->scope;
}

static int grow(struct code *code, uint32_t *capacity, struct err *err)
{
	uint32_t wanted = *capacity == 0 ? 1024 : *capacity * 2;
	struct code_node *nodes = realloc(code->nodes, wanted * sizeof(*nodes));

	if (nodes == NULL)
		return err_set(err, ENOMEM, "memory for a syntax tree");
	code->nodes = nodes;
	*capacity = wanted;
	return 0;
}

static void add_node(struct code *code, const TSTreeCursor *cursor, uint32_t parent)
{
	TSNode node = ts_tree_cursor_current_node(cursor);
	TSFieldId field = ts_tree_cursor_current_field_id(cursor);
	TSSymbol symbol = ts_node_symbol(node);
	struct code_node *flat = &code->nodes[code->count++];

	*flat = (struct code_node){
		.start = ts_node_start_byte(node),
		.end = ts_node_end_byte(node),
		.parent = parent,
		.symbol = symbol,
		.field_id = field,
		.kind = symbol == CODE_SYMBOL_ERROR ? KIND_OTHER
						    : code_kinds_of(code->language)[symbol],
		.field = code_fields_of(code->language)[field],
		.is_named = ts_node_is_named(node),
		.is_wrong = symbol == CODE_SYMBOL_ERROR || ts_node_is_missing(node),
	};
	if (flat->end > code->length)
		flat->end = (uint32_t)code->length;
	if (flat->start > flat->end)
		flat->start = flat->end;
	flat->scope = parent == CODE_NONE ? 0 : scope_below(code, parent, flat->field);
}

/* The next node in the order of the text; closes those that end. */
static bool advance(struct code *code, TSTreeCursor *cursor, uint32_t *parent)
{
	if (ts_tree_cursor_goto_first_child(cursor)) {
		*parent = code->count - 1;
		return true;
	}
	code->nodes[code->count - 1].after = code->count;
	while (!ts_tree_cursor_goto_next_sibling(cursor)) {
		if (*parent == CODE_NONE || !ts_tree_cursor_goto_parent(cursor))
			return false;
		code->nodes[*parent].after = code->count;
		*parent = code->nodes[*parent].parent;
	}
	return true;
}

static int flatten(struct code *code, TSTree *tree, struct err *err)
{
	TSTreeCursor cursor = ts_tree_cursor_new(ts_tree_root_node(tree));
	uint32_t parent = CODE_NONE;
	uint32_t capacity = 0;
	int status = 0;
	bool goes_on = true;

	while (goes_on && status == 0) {
		if (code->count == LIMIT_CODE_NODES) {
			code->limit = CODE_TOO_MANY_NODES;
			break;
		}
		if (code->count == capacity)
			status = grow(code, &capacity, err);
		if (status == 0) {
			add_node(code, &cursor, parent);
			goes_on = advance(code, &cursor, &parent);
		}
		if (code->count % CODE_STEPS_PER_LOOK == 0 && used_us() >= code->deadline_us) {
			code->limit = CODE_TOO_SLOW;
			break;
		}
	}
	ts_tree_cursor_delete(&cursor);
	return status;
}

static int read_tree(struct code *code, uint64_t time_us, struct err *err)
{
	TSTree *tree = NULL;
	int status;

	parser_memory_begin();
	status = parse(code, time_us, &tree, err);
	if (status == 0 && code->limit == CODE_WHOLE)
		status = flatten(code, tree, err);
	/* Otherwise it is gone with the rest, which saves a walk. */
	if (PARSER_MEMORY_IS_MALLOC && tree != NULL)
		ts_tree_delete(tree);
	parser_memory_end();
	return status;
}

static int prepare(struct code *code, struct err *err)
{
	code->strings = strings_new(code->length);
	code->memo_names = calloc(code->count, sizeof(struct code_names *));
	code->memo_values = calloc(code->count, sizeof(struct code_value *));
	if (code->strings == NULL || code->memo_names == NULL || code->memo_values == NULL)
		return err_set(err, ENOMEM, "memory for an analysis");
	return 0;
}

enum byte_kind { BYTE_SIGN, BYTE_WORD, BYTE_SPACE };

static uint8_t kind_of(unsigned char c)
{
	if (isalnum(c) || c == '_' || c >= 0x80)
		return BYTE_WORD;
	return isspace(c) ? BYTE_SPACE : BYTE_SIGN;
}

static const uint8_t *byte_kinds(void)
{
	static uint8_t kinds[256];

	if (kinds['a'] == BYTE_SIGN)
		for (unsigned i = 0; i < ARRAY_COUNT(kinds); i++)
			kinds[i] = kind_of((unsigned char)i);
	return kinds;
}

/* At least as many as the parser can find: words, signs, and what a line's end may stand for.
 */
static uint32_t count_tokens(const struct code *code)
{
	const uint8_t *kinds = byte_kinds();
	uint8_t before = BYTE_SPACE;
	uint32_t lines = 0;
	uint32_t count = 0;

	for (size_t i = 0; i < code->length; i++) {
		uint8_t kind = kinds[(unsigned char)code->text[i]];

		lines += code->text[i] == '\n';
		count += kind == BYTE_SIGN || (kind == BYTE_WORD && before != BYTE_WORD);
		before = kind;
	}
	/* The shell's grammar joins words by tokens without text; a line's end is in Python
	 * also an indent, and later its end. */
	return count * (code->language == CODE_BASH ? 2 : 1) + lines * 3;
}

int code_open(struct code *code, enum code_language language, const char *text, size_t length,
	      uint64_t time_us, struct err *err)
{
	int status;

	*code = (struct code){.language = language,
			      .text = text,
			      .length = length,
			      .deadline_us = used_us() + time_us,
			      .steps_left = CODE_STEPS_MAX};
	if (length > LIMIT_CODE_BYTES) {
		code->limit = CODE_TOO_LARGE;
		return 0;
	}
	if (count_tokens(code) > LIMIT_CODE_TOKENS) {
		code->limit = CODE_TOO_MANY_NODES;
		return 0;
	}
	status = read_tree(code, time_us, err);
	if (status == 0 && code->limit == CODE_WHOLE)
		status = prepare(code, err);
	if (status < 0)
		code_close(code);
	return status;
}

void code_close(struct code *code)
{
	while (code->pieces != NULL) {
		struct code_piece *next = code->pieces->next;

		free(code->pieces);
		code->pieces = next;
	}
	free(code->nodes);
	if (code->strings != NULL)
		free(code->strings->list);
	free(code->strings);
	free(code->memo_names);
	free(code->memo_values);
	*code = (struct code){.count = 0};
}

int code_open_within(struct code *code, struct code *outer, enum code_language language,
		     const char *text, size_t length, struct err *err)
{
	uint64_t now = used_us();
	uint64_t left = outer->deadline_us > now ? outer->deadline_us - now : 0;
	int status = code_open(code, language, text, length, left, err);

	code->deadline_us = outer->deadline_us;
	code->steps_left = outer->steps_left;
	code->is_over = outer->is_over;
	return status;
}

void code_close_within(struct code *code, struct code *outer)
{
	outer->steps_left = code->steps_left;
	outer->is_over |= code->is_over || code->limit != CODE_WHOLE;
	code_close(code);
}

/* --- walking ----------------------------------------------------------------------------- */

uint32_t code_child(const struct code *code, uint32_t node)
{
	if (node == CODE_NONE || code->nodes[node].after == node + 1)
		return CODE_NONE;
	return node + 1;
}

uint32_t code_next(const struct code *code, uint32_t node)
{
	uint32_t next = code->nodes[node].after;
	uint32_t parent = code->nodes[node].parent;

	return parent == CODE_NONE || next >= code->nodes[parent].after ? CODE_NONE : next;
}

static uint32_t skip_unnamed(const struct code *code, uint32_t node)
{
	while (node != CODE_NONE &&
	       (!code->nodes[node].is_named || code->nodes[node].kind == KIND_COMMENT))
		node = code_next(code, node);
	return node;
}

uint32_t code_named(const struct code *code, uint32_t node)
{
	return skip_unnamed(code, code_child(code, node));
}

uint32_t code_next_named(const struct code *code, uint32_t node)
{
	return skip_unnamed(code, code_next(code, node));
}

uint32_t code_field(const struct code *code, uint32_t node, enum code_field field)
{
	uint32_t child = code_child(code, node);

	while (child != CODE_NONE && code->nodes[child].field != field)
		child = code_next(code, child);
	return child;
}

bool code_is(const struct code *code, uint32_t node, const char *text)
{
	size_t length = strlen(text);

	return node != CODE_NONE && code_length(code, node) == length &&
	       memcmp(code_text(code, node), text, length) == 0;
}
