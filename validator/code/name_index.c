#include "validator/code/name_index.h"

#include <string.h>

#define HEADS 2048 /* power of two; our rules have 1,500 patterns in a language at most */

/* A lookup takes as long as so many steps of resolving. */
#define STEPS_OF_LOOKUP 8

enum pattern_kind {
	PATTERN_WHOLE,	 /* a.b */
	PATTERN_BELOW,	 /* a.* */
	PATTERN_ENDING,	 /* *.b */
	PATTERN_UNKNOWN, /* ?.b */
	PATTERN_INSIDE	 /* *.b.* */
};

struct asked {
	struct asked *next;
	enum pattern_kind kind;
	uint32_t asker;
	const char *key; /* what is left of the pattern; not terminated */
	size_t length;
};

struct name_index {
	struct asked *heads[HEADS];
	uint32_t askers;
	uint32_t inside_dots; /* most dots in the key of one that is PATTERN_INSIDE */
	bool has_inside;
};

static uint32_t bucket(const char *key, size_t length)
{
	uint32_t value = 2166136261u;

	for (size_t i = 0; i < length; i++)
		value = (value ^ (uint8_t)key[i]) * 16777619u;
	return (value ^ value >> 15) & (HEADS - 1);
}

int name_index_ask(struct name_index **index, uint32_t *ret_asker, struct err *err)
{
	if (*index == NULL)
		*index = calloc(1, sizeof(**index));
	if (*index == NULL)
		return err_set(err, ENOMEM, "memory for names");
	*ret_asker = (*index)->askers++;
	return 0;
}

/* Takes the pattern's stars and question mark off. */
static void split(struct asked *asked, const char *pattern)
{
	size_t length = strlen(pattern);
	bool is_open = length > 2 && strcmp(pattern + length - 2, ".*") == 0;

	asked->kind = PATTERN_WHOLE;
	asked->key = pattern;
	asked->length = length;
	if (pattern[0] == '?' && pattern[1] == '.')
		asked->kind = PATTERN_UNKNOWN;
	else if (pattern[0] == '*' && pattern[1] == '.')
		asked->kind = is_open ? PATTERN_INSIDE : PATTERN_ENDING;
	else if (is_open)
		asked->kind = PATTERN_BELOW;
	if (asked->kind != PATTERN_WHOLE && asked->kind != PATTERN_BELOW) {
		asked->key += 2;
		asked->length -= 2;
	}
	if (asked->kind == PATTERN_BELOW || asked->kind == PATTERN_INSIDE)
		asked->length -= asked->length >= 2 ? 2 : asked->length;
}

int name_index_add(struct name_index *index, uint32_t asker, const char *pattern,
		   struct err *err)
{
	struct asked *asked = calloc(1, sizeof(*asked));
	struct asked **head;
	uint32_t dots = 0;

	if (asked == NULL)
		return err_set(err, ENOMEM, "memory for names");
	if (strcmp(pattern, "*.*") == 0) {
		free(asked);
		return err_set(err, EINVAL, "the name '*.*' is every name with a dot");
	}
	split(asked, pattern);
	asked->asker = asker;
	head = &index->heads[bucket(asked->key, asked->length)];
	asked->next = *head;
	*head = asked;
	for (size_t i = 0; i < asked->length; i++)
		dots += asked->key[i] == '.';
	if (asked->kind == PATTERN_INSIDE) {
		index->has_inside = true;
		if (dots > index->inside_dots)
			index->inside_dots = dots;
	}
	return 0;
}

void name_index_free(struct name_index *index)
{
	for (size_t i = 0; index != NULL && i < HEADS; i++)
		while (index->heads[i] != NULL) {
			struct asked *next = index->heads[i]->next;

			free(index->heads[i]);
			index->heads[i] = next;
		}
	free(index);
}

static uint32_t words_of(uint32_t askers)
{
	return (askers + 63) / 64;
}

/* --- looking up -------------------------------------------------------------------------- */

static void mark(const struct name_index *index, uint64_t *marks, enum pattern_kind kind,
		 const char *key, size_t length)
{
	for (const struct asked *asked = index->heads[bucket(key, length)]; asked != NULL;
	     asked = asked->next)
		if (asked->kind == kind && asked->length == length &&
		    memcmp(asked->key, key, length) == 0)
			marks[asked->asker / 64] |= UINT64_C(1) << asked->asker % 64;
}

/* Between the dot at `dot` and each of the next few. */
static void mark_inside(const struct name_index *index, uint64_t *marks, const char *dot)
{
	const char *end = dot;

	for (uint32_t i = 0; i <= index->inside_dots; i++) {
		end = strchr(end + 1, '.');
		if (end == NULL)
			return;
		mark(index, marks, PATTERN_INSIDE, dot + 1, (size_t)(end - dot) - 1);
	}
}

static void mark_all(const struct name_index *index, uint64_t *marks, const char *name)
{
	size_t length = strlen(name);

	mark(index, marks, PATTERN_WHOLE, name, length);
	for (const char *dot = strchr(name, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
		size_t before = (size_t)(dot - name);

		if (index->has_inside)
			mark_inside(index, marks, dot);
		if (before == 0)
			continue;
		if (dot[1] != '\0')
			mark(index, marks, PATTERN_BELOW, name, before);
		mark(index, marks, PATTERN_ENDING, dot + 1, length - before - 1);
		if (name[0] == '?')
			mark(index, marks, PATTERN_UNKNOWN, dot + 1, length - before - 1);
	}
}

/* NULL: the source's time is over. */
static const uint64_t *marks_of(const struct name_index *index, struct code *code, uint32_t id)
{
	uint64_t **marks = code_note(code, id);
	size_t bytes = words_of(index->askers) * sizeof(**marks);

	if (marks == NULL || *marks != NULL)
		return marks == NULL ? NULL : *marks;
	if (!code_spend(code, STEPS_OF_LOOKUP))
		return NULL;
	*marks = code_alloc(code, bytes);
	if (*marks == NULL)
		return NULL;
	memset(*marks, 0, bytes);
	mark_all(index, *marks, code_string(code, id));
	return *marks;
}

bool name_index_asks(const struct name_index *index, struct code *code, uint32_t id,
		     uint32_t asker)
{
	const uint64_t *marks = marks_of(index, code, id);

	return marks != NULL && (marks[asker / 64] >> asker % 64 & 1u) != 0;
}

bool name_index_any(const struct name_index *index, struct code *code, uint32_t id,
		    const uint64_t *askers, uint32_t words)
{
	const uint64_t *marks = marks_of(index, code, id);

	for (uint32_t i = 0; marks != NULL && i < words; i++)
		if ((marks[i] & askers[i]) != 0)
			return true;
	return false;
}

int name_askers_add(uint64_t **askers, uint32_t *words, uint32_t asker, struct err *err)
{
	uint32_t wanted = words_of(asker + 1);
	uint64_t *grown;

	if (wanted > *words) {
		grown = realloc(*askers, wanted * sizeof(*grown));
		if (grown == NULL)
			return err_set(err, ENOMEM, "memory for names");
		memset(grown + *words, 0, (wanted - *words) * sizeof(*grown));
		*askers = grown;
		*words = wanted;
	}
	(*askers)[asker / 64] |= UINT64_C(1) << asker % 64;
	return 0;
}
