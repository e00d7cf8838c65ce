/*
 * server/cli/cli_main.c - `casemate`, the one command a person types. It holds no function of
 * its own: it looks the subcommand up and becomes the program that has it, so that each of them
 * links only what it needs.
 */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/self.h"

#define EXIT_USAGE  100 /* the caller is wrong */
#define EXIT_SYSTEM 111 /* the world is wrong */

struct subcommand {
	const char *name;
	const char *program;  /* in libexec/casemate */
	const char *argument; /* put before the caller's own; NULL: none */
	const char *usage;
	const char *summary;
};

static const struct subcommand subcommands[] = {
	{"serve", "casemate-serve", NULL, "[--config FILE]",
	 "run the service in the foreground"},
	{"exec", "casemate-exec", NULL, "[options] FILE|-", "run a program on a service"},
	{"certs", "casemate-certs", NULL, "init|issue|revoke ...",
	 "make development certificates"},
	{"migrate", "casemate-ledger", "migrate", "DATABASE",
	 "bring an audit database up to date"},
	{"schema", "casemate-validator", "schema", "check SCHEMA INSTANCE",
	 "judge a JSON document by a JSON Schema"},
	{"check", "casemate-validator", "check", "[--json|--sarif] FILE|-...",
	 "judge source text as the service does"},
	{"doctor", "casemate-doctor", NULL, "",
	 "say what this kernel can do, and what is missing"},
	{"policy", "casemate-policy", NULL, "show --seccomp",
	 "print the system calls a job may make, and why"},
	{"redteam", "casemate-redteam", NULL, "[options]",
	 "attack a service as a caller can, and say what held"},
};

static void print_help(FILE *out)
{
	(void)fprintf(out, "Casemate runs code that nobody trusts, behind a kernel wall.\n\n"
			   "usage: casemate SUBCOMMAND [ARGUMENT]...\n"
			   "       casemate --help | --version\n\n");
	for (size_t i = 0; i < ARRAY_COUNT(subcommands); i++)
		(void)fprintf(out, "  %-8s %-24s %s\n", subcommands[i].name,
			      subcommands[i].usage, subcommands[i].summary);
	(void)fprintf(out, "\n`casemate SUBCOMMAND --help` says more.\n");
}

#define NAME_MAX_CHARS 32 /* longer words are not compared; no subcommand is near */

static size_t smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Edits (insert, delete, replace) that turn one word into the other. */
static size_t word_distance(const char *from, const char *to)
{
	size_t row[NAME_MAX_CHARS + 1];
	size_t from_length = strlen(from);
	size_t to_length = strlen(to);

	if (from_length > NAME_MAX_CHARS || to_length > NAME_MAX_CHARS)
		return NAME_MAX_CHARS;
	for (size_t j = 0; j <= to_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= from_length; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= to_length; j++) {
			size_t above = row[j];

			row[j] = smallest(above + 1, row[j - 1] + 1,
					  diagonal + (from[i - 1] != to[j - 1]));
			diagonal = above;
		}
	}
	return row[to_length];
}

static int refuse_unknown(const char *word)
{
	const char *nearest = NULL;
	size_t nearest_distance = 3; /* two slips of the finger still count as meant */

	(void)fprintf(stderr, "casemate: '%s' is not a subcommand.", word);
	for (size_t i = 0; i < ARRAY_COUNT(subcommands); i++) {
		size_t distance = word_distance(word, subcommands[i].name);

		if (distance < nearest_distance) {
			nearest = subcommands[i].name;
			nearest_distance = distance;
		}
	}
	if (nearest != NULL)
		(void)fprintf(stderr, " Did you mean '%s'?", nearest);
	(void)fprintf(stderr, " `casemate --help` lists them.\n");
	return EXIT_USAGE;
}

#define ARGUMENTS_MAX 4096 /* words on one command line, far above any real one */

static int become(const struct subcommand *subcommand, int argc, char **argv)
{
	char relative[64];
	char path[PATH_MAX];
	char *arguments[ARGUMENTS_MAX];
	int count = 0;
	struct err err = {0};

	if (argc + 2 > ARGUMENTS_MAX) {
		(void)fprintf(stderr, "casemate: more than %d arguments\n", ARGUMENTS_MAX - 2);
		return EXIT_USAGE;
	}
	(void)snprintf(relative, sizeof(relative), "../libexec/casemate/%s",
		       subcommand->program);
	if (self_path(relative, path, sizeof(path), &err) < 0) {
		(void)fprintf(stderr, "casemate: %s\n", err.text);
		return EXIT_SYSTEM;
	}
	/* A short name for its messages: it finds itself by /proc/self/exe. execv(3) takes
	 * char *const[], but writes nothing. */
	arguments[count++] = (char *)(uintptr_t)subcommand->program;
	if (subcommand->argument != NULL)
		arguments[count++] = (char *)(uintptr_t)subcommand->argument;
	for (int i = 2; i < argc; i++)
		arguments[count++] = argv[i];
	arguments[count] = NULL;
	(void)execv(path, arguments);
	(void)fprintf(stderr, "casemate: cannot start %s: %s. Is the installation complete?\n",
		      path, strerror(errno));
	return EXIT_SYSTEM;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		(void)printf("casemate %s\n", CASEMATE_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_COUNT(subcommands); i++)
		if (strcmp(argv[1], subcommands[i].name) == 0)
			return become(&subcommands[i], argc, argv);
	return refuse_unknown(argv[1]);
}
