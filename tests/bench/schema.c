/*
 * tests/bench/schema.c - judges requests by their schema, again and again. Arguments: the
 * folder of schemas, then documents. Prints a JSON object: file -> nanoseconds for one
 * judgement, in the best round: on a shared machine the rest is noise. tests/bench/schema.mjs
 * does the same with ajv.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/own.h"
#include "validator/catalog.h"
#include "validator/json_guard.h"

#define ROUNDS	 31
#define ROUND_NS 10000000.0 /* one round takes about 10 ms */

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double round_ns(const struct schema *schema, json_t *instance, unsigned long turns)
{
	double start = now_ns();

	for (unsigned long i = 0; i < turns; i++)
		if (schema_judge(schema, instance, NULL) != SCHEMA_VALID)
			exit(3);
	return (now_ns() - start) / (double)turns;
}

static double best_ns(const struct schema *schema, json_t *instance)
{
	double best = 0;
	double once = round_ns(schema, instance, 3);
	unsigned long turns = once < ROUND_NS ? (unsigned long)(ROUND_NS / once) + 1 : 1;

	for (size_t i = 0; i < ROUNDS; i++) {
		double took = round_ns(schema, instance, turns);

		best = i == 0 || took < best ? took : best;
	}
	return best;
}

int main(int argc, char **argv)
{
	own_fd folder = argc > 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct catalog catalog = {.documents = {NULL}};
	struct err err = {0};

	if (folder < 0 || catalog_load(&catalog, folder, &err) < 0) {
		(void)fprintf(stderr, "schema: %s\n", err.text);
		return 2;
	}
	(void)printf("{");
	for (int i = 2; i < argc; i++) {
		own_json *instance = json_load_file(argv[i], JSON_DECODE_ANY, NULL);

		if (instance == NULL)
			return 2;
		(void)printf("%s\"%s\": %.1f", i > 2 ? ", " : "", argv[i],
			     best_ns(catalog.schemas[CATALOG_REQUEST], instance));
	}
	(void)printf("}\n");
	catalog_done(&catalog);
	return 0;
}
