#include "sandbox/runtimes/launch/words.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The System V ABI of the processor names it. */
#if defined(__x86_64__)
#define LOADER "/lib64/ld-linux-x86-64.so.2"
#else
#define LOADER "/lib/ld-linux-aarch64.so.1"
#endif

/* A word of a plan with its paths put in. */
#define WORD_BYTES_MAX (32 * 1024 + 4 * PATH_MAX)

int words_add_argument(struct words *words, const char *data, size_t length, struct err *err)
{
	char *text;

	if (words->argument_count == LIMIT_ARGS)
		return err_set(err, E2BIG, "more than %d arguments", LIMIT_ARGS);
	text = strndup(data, length);
	if (text == NULL)
		return err_errno(err, ENOMEM, "an argument");
	words->arguments[words->argument_count++] = text;
	return 0;
}

static char **find(const struct words *words, const char *name, size_t name_length)
{
	for (size_t i = 0; i < words->variable_count; i++)
		if (strncmp(words->variables[i], name, name_length) == 0 &&
		    words->variables[i][name_length] == '=')
			return (char **)(uintptr_t)&words->variables[i];
	return NULL;
}

int words_add_variable(struct words *words, const char *name, size_t name_length,
		       const char *data, size_t length, struct err *err)
{
	char **place = find(words, name, name_length);
	char *text;

	if (place == NULL && words->variable_count == WORDS_VARIABLES_MAX)
		return err_set(err, E2BIG, "more than %d variables", WORDS_VARIABLES_MAX);
	text = malloc(name_length + 1 + length + 1);
	if (text == NULL)
		return err_errno(err, ENOMEM, "a variable");
	memcpy(text, name, name_length);
	text[name_length] = '=';
	memcpy(text + name_length + 1, data, length);
	text[name_length + 1 + length] = '\0';
	if (place != NULL)
		free(*place);
	else
		place = &words->variables[words->variable_count++];
	*place = text;
	return 0;
}

const char *words_variable(const struct words *words, const char *name)
{
	size_t length = strlen(name);
	char **place = find(words, name, length);

	return place == NULL ? NULL : *place + length + 1;
}

/* The path whose name in braces `text` starts with, and how long that name is. */
static const char *path_at(const struct words_paths *paths, const char *text,
			   size_t *ret_length)
{
	const struct {
		const char *name, *path;
	} all[] = {
		{"{code}", paths->code},
		{"{workspace}", paths->workspace},
		{"{tmp}", paths->tmp},
		{"{loader}", LOADER},
	};

	for (size_t i = 0; i < ARRAY_COUNT(all); i++) {
		*ret_length = strlen(all[i].name);
		if (strncmp(text, all[i].name, *ret_length) == 0)
			return all[i].path;
	}
	return NULL;
}

static int expand(const struct words_paths *paths, const char *word, char **ret,
		  struct err *err)
{
	own_mem char *text = malloc(WORD_BYTES_MAX);
	size_t used = 0;

	if (text == NULL)
		return err_errno(err, ENOMEM, "a word");
	while (*word != '\0') {
		size_t taken;
		const char *path = path_at(paths, word, &taken);
		int length = path == NULL
				     ? 1
				     : snprintf(text + used, WORD_BYTES_MAX - used, "%s", path);

		if (length < 0 || used + (size_t)length >= WORD_BYTES_MAX)
			return err_set(err, E2BIG, "a word of the command is too long");
		if (path == NULL)
			text[used] = *word;
		used += (size_t)length;
		word += path == NULL ? 1 : taken;
	}
	*ret = strndup(text, used);
	return *ret == NULL ? err_errno(err, ENOMEM, "a word") : 0;
}

int words_command(const struct plan_command *command, const struct words *words,
		  const struct words_paths *paths, char ***ret_argv, struct err *err)
{
	char **argv = calloc(command->count + words->argument_count + 1, sizeof(*argv));
	size_t at = 0;

	if (argv == NULL)
		return err_errno(err, ENOMEM, "a command");
	for (size_t i = 0; i < command->count; i++) {
		int status;

		if (strcmp(command->words[i], "{args}") == 0) {
			memcpy(argv + at, words->arguments,
			       words->argument_count * sizeof(*argv));
			at += words->argument_count;
			continue;
		}
		status = expand(paths, command->words[i], &argv[at], err);
		/* What was made until then is left to the end of the process. */
		if (status < 0)
			return status;
		at++;
	}
	*ret_argv = argv;
	return 0;
}
