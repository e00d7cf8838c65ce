#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "server/exec/request.h"

TestSuite(request, .timeout = 10);

static const struct {
	const char *path;
	const char *code;
	const char *language;
} guesses[] = {
	{"a.py", "", "python"},
	{"a.js", "#!/usr/bin/python3\n", "javascript"},
	{"a.sh", "", "bash"},
	{"a", "#!/usr/bin/env node\n", "javascript"},
	{"a", "#!/bin/sh\n", "bash"},
	{"a", "#!/usr/bin/python3 -s\n", "python"},
	{"-", "print(1)", "python"},
	{".py", "", "python"},
	{"a", "\n#!/bin/bash", "python"},
};

Test(request, the_language_is_guessed)
{
	for (size_t i = 0; i < ARRAY_COUNT(guesses); i++)
		cr_assert(eq(str,
			     (char *)(uintptr_t)request_guess_language(guesses[i].path,
								       guesses[i].code),
			     (char *)(uintptr_t)guesses[i].language),
			  "guess %zu", i);
}

static void write_file(const char *path, const char *data, size_t length)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(eq(int, (int)write(fd, data, length), (int)length));
	(void)close(fd);
}

Test(request, everything_asked_for_is_in_the_document)
{
	char path[] = "/tmp/casemate-unit-XXXXXX";
	int fd = mkstemp(path);
	struct options options = {.program = path,
				  .stdin_path = path,
				  .args = {"one", "two"},
				  .arg_count = 2,
				  .timeout_ms = 5};
	own_mem char *text = NULL;
	json_t *document = NULL;

	(void)close(fd);
	write_file(path, "print('\xC3\xA9')", 11);
	cr_assert(eq(int, request_make(&options, &document, NULL), 0));
	(void)unlink(path);
	text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(document);

	cr_assert(eq(str, text,
		     "{\"args\":[\"one\",\"two\"],\"code\":\"print('\xC3\xA9')\",\"language\":"
		     "\"python\",\"limits\":{\"wall_ms\":5},\"stdin\":\"print('\xC3\xA9')\"}"));
}

Test(request, a_policy_is_a_name_or_a_file)
{
	char path[] = "/tmp/casemate-unit-XXXXXX";
	int fd = mkstemp(path);
	struct options options = {.program = path, .policy = "strict"};
	json_t *document = NULL;

	(void)close(fd);
	write_file(path, "{\"title\":1}", 11);
	cr_assert(eq(int, request_make(&options, &document, NULL), 0));
	cr_assert(eq(str,
		     (char *)(uintptr_t)json_string_value(json_object_get(document, "policy")),
		     "strict"));
	json_decref(document);
	options.policy = path;
	cr_assert(eq(int, request_make(&options, &document, NULL), 0));
	cr_assert(eq(int, json_is_object(json_object_get(document, "policy")), 1));
	json_decref(document);
	write_file(path, "{", 1);
	cr_assert(eq(int, request_make(&options, &document, NULL), -EINVAL));
	(void)unlink(path);
}

Test(request, bytes_that_are_no_text_are_refused)
{
	char path[] = "/tmp/casemate-unit-XXXXXX";
	int fd = mkstemp(path);
	struct options options = {.program = path};
	json_t *document = NULL;

	(void)close(fd);
	write_file(path, "\xFF\xFE", 2);

	cr_assert(lt(int, request_make(&options, &document, NULL), 0));
	(void)unlink(path);
	cr_assert(eq(ptr, document, NULL));
}
