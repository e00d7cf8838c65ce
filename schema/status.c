#include "schema/status.h"

#include <stddef.h>
#include <string.h>

#include "base/own.h"

static const char *const status_names[] = {[STATUS_NONE] = "unknown",
#define X(symbol, name, meaning) [STATUS_##symbol] = (name),
					   STATUS_LIST(X)
#undef X
};

struct problem_row {
	const char *code;
	const char *title;
	unsigned http;
};

static const struct problem_row problem_rows[] = {[PROBLEM_NONE] = {"none", "No problem", 500},
#define X(symbol, code, http, title) [PROBLEM_##symbol] = {(code), (title), (http)},
						  PROBLEM_LIST(X)
#undef X
};

static const char *const layer_names[] = {
#define X(symbol, name) [LAYER_INDEX_##symbol] = (name),
	LAYER_LIST(X)
#undef X
};

const char *status_name(uint8_t status)
{
	return status_names[status < ARRAY_COUNT(status_names) ? status : STATUS_NONE];
}

static const struct problem_row *problem_row(uint8_t problem)
{
	return &problem_rows[problem < ARRAY_COUNT(problem_rows) ? problem : PROBLEM_INTERNAL];
}

const char *problem_code(uint8_t problem)
{
	return problem_row(problem)->code;
}

const char *problem_title(uint8_t problem)
{
	return problem_row(problem)->title;
}

unsigned problem_http(uint8_t problem)
{
	return problem_row(problem)->http;
}

const char *layer_name(unsigned index)
{
	return index < ARRAY_COUNT(layer_names) ? layer_names[index] : "unknown";
}

static const struct {
	const char *name;
	uint32_t layers;
} levels[LEVEL_COUNT] = {
#define X(symbol, name, layers) [LEVEL_##symbol] = {(name), (layers)},
	LEVEL_LIST(X)
#undef X
};

uint32_t level_layers(unsigned level)
{
	return level < LEVEL_COUNT ? levels[level].layers : 0;
}

const char *level_name(unsigned level)
{
	return level < LEVEL_COUNT ? levels[level].name : "none";
}

unsigned level_number(const char *name)
{
	unsigned level = 0;

	while (level < LEVEL_COUNT && (name == NULL || strcmp(name, levels[level].name) != 0))
		level++;
	return level;
}

unsigned level_of_layers(uint32_t layers)
{
	if (layers == 0)
		return LEVEL_COUNT;
	return (layers & LAYER_MOUNT_NAMESPACE) != 0 ? LEVEL_FULL : LEVEL_LANDLOCK;
}

static const struct {
	const char *name;
	uint32_t layers;
} gaps[] = {
#define X(name, layers) {(name), (layers)},
	GAP_LIST(X)
#undef X
};

const char *gap_name(uint32_t layers, unsigned index)
{
	for (unsigned i = 0; i < ARRAY_COUNT(gaps); i++)
		if ((gaps[i].layers & layers) == 0 && index-- == 0)
			return gaps[i].name;
	return NULL;
}
