/*
 * casemate-launch - the zygote of runtimes that are other programs. Its workers wait behind the
 * wall; when the job comes one becomes the program (execve), or hands the job to the program it
 * has started ahead, over a link (ahead.h) or at its start-up file (startup.h). What is
 * started, and how, is the plan of the runtime (plan.h).
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/runtimes/launch/ahead.h"
#include "sandbox/runtimes/launch/compile.h"
#include "sandbox/runtimes/launch/program.h"
#include "sandbox/runtimes/launch/startup.h"
#include "sandbox/runtimes/launch/version.h"
#include "sandbox/runtimes/launch/words.h"
#include "sandbox/zygote/zygote.h"

/* What a shell exits with when it cannot start a program. */
#define EXIT_CANNOT_START 126

static char plan_text[SETUP_PLAN_BYTES_MAX + 1];
static struct plan plan;
static struct words words;
static struct words
	compiler_words; /* the environment of a compiler, no variable of the job's */
static struct words_paths paths;
static char code_path[PATH_MAX + NAME_MAX + 2];
static char startup_path[PATH_MAX + sizeof("/.startup")];
static struct startup startup = {.path = startup_path};
static bool has_variables; /* of the job's own */

/* LC_CTYPE says all that there is to C.UTF-8; LANG would make each program open the files of
 * eleven other categories, whose content is that of C. */
static const struct {
	const char *name, *value;
} variables[] = {
	{"HOME", "/workspace"},
	{"PATH", "/usr/local/bin:/usr/bin:/bin"},
	{"LC_CTYPE", "C.UTF-8"},
	{"TMPDIR", "/tmp"},
};

static int add_variable(const char *name, size_t name_length, const char *data, size_t length,
			struct err *err)
{
	has_variables = true;
	return words_add_variable(&words, name, name_length, data, length, err);
}

static int add_argument(const char *data, size_t length, struct err *err)
{
	return words_add_argument(&words, data, length, err);
}

static int add_variables(struct err *err)
{
	int status = 0;

	for (size_t i = 0; i < ARRAY_COUNT(variables) && status == 0; i++)
		status = add_variable(variables[i].name, strlen(variables[i].name),
				      variables[i].value, strlen(variables[i].value), err);
	for (size_t i = 0; i < plan.variable_count && status == 0; i++) {
		const char *equals = strchr(plan.variables[i], '=');

		status = add_variable(plan.variables[i], (size_t)(equals - plan.variables[i]),
				      equals + 1, strlen(equals + 1), err);
	}
	return status;
}

static int find_program(const struct plan_command *command, struct err *err)
{
	const char *path = command->words[0];

	if (path[0] == '/' && access(path, X_OK) != 0)
		return err_errno(err, errno, "start %s: is it in the runtime's root?", path);
	return 0;
}

static int load(const struct zygote_setup *setup, struct zygote_modules *ret, struct err *err)
{
	int status;

	(void)snprintf(plan_text, sizeof(plan_text), "%s", setup->plan);
	status = plan_parse(plan_text, &plan, err);
	if (status < 0)
		return err_prefix(err, "runtime.json");
	status = find_program(&plan.run, err);
	if (status == 0 && plan.compile.count > 0)
		status = find_program(&plan.compile, err);
	if (status == 0)
		status = add_variables(err);
	if (status == 0)
		status = version_ask(&plan, ret->version, sizeof(ret->version), err);
	return status;
}

static void nothing(void)
{
}

static bool starts_ahead(void)
{
	return plan.is_ahead || plan.startup != NULL;
}

static int enter(struct err *err)
{
	return starts_ahead() ? program_prepare(err) : 0;
}

/* Before the job's variables come, which may name other folders. */
static int note_paths(struct err *err)
{
	paths.workspace = strdup(words_variable(&words, "HOME"));
	paths.tmp = strdup(words_variable(&words, "TMPDIR"));
	if (paths.workspace == NULL || paths.tmp == NULL)
		return err_errno(err, ENOMEM, "note the folders");
	if (plan.code != NULL)
		(void)snprintf(code_path, sizeof(code_path), "%s/%s", paths.tmp, plan.code);
	(void)snprintf(startup_path, sizeof(startup_path), "%s/.startup", paths.tmp);
	startup.variable = plan.startup;
	paths.code = code_path;
	return 0;
}

/* Before the job's variables come: some are orders to the loader or the compiler (LD_PRELOAD,
 * GCC_EXEC_PREFIX), by which code of the job's would run before its clocks and its events. */
static int note_variables(struct err *err)
{
	int status = 0;

	for (size_t i = 0; i < words.variable_count && status == 0; i++) {
		const char *variable = words.variables[i];
		const char *equals = strchr(variable, '=');

		status = words_add_variable(&compiler_words, variable,
					    (size_t)(equals - variable), equals + 1,
					    strlen(equals + 1), err);
	}
	return status;
}

static int write_code(const char *code, size_t length, struct err *err)
{
	own_fd fd = open(code_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(err, errno, "make %s", code_path);
	while (length > 0) {
		ssize_t wrote = write(fd, code, length);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote < 0)
			return err_errno(err, errno, "write %s", code_path);
		code += wrote;
		length -= (size_t)wrote;
	}
	return 0;
}

static int rehearse(struct err *err)
{
	int status = note_paths(err);

	if (status == 0 && plan.compile.count > 0)
		status = note_variables(err);
	if (status < 0 || plan.is_ahead)
		return status;
	status = write_code("", 0, err);
	if (status == 0 && unlink(code_path) != 0)
		status = err_errno(err, errno, "remove %s", code_path);
	return status;
}

static int start(struct err *err)
{
	static const struct words none;
	char **argv;
	int status;

	has_variables = false;
	if (!starts_ahead())
		return 0;
	status = words_command(&plan.run, &none, &paths, &argv, err);
	if (status < 0)
		return status;
	return plan.is_ahead ? ahead_start(argv, words.variables, err)
			     : startup_start(&startup, argv, &words, err);
}

static int take_stdin(int fd, struct err *err)
{
	if (starts_ahead())
		return program_take_stdin(fd, err);
	if (dup2(fd, STDIN_FILENO) < 0 || lseek(STDIN_FILENO, 0, SEEK_SET) < 0)
		return err_errno(err, errno, "take standard input");
	return 0;
}

static int compile(bool *ret_is_good, struct job_end *end, struct err *err)
{
	static const struct words none;
	char **argv;
	int status;

	*ret_is_good = true;
	if (plan.compile.count == 0)
		return 0;
	status = words_command(&plan.compile, &none, &paths, &argv, err);
	if (status == 0)
		*ret_is_good =
			compile_run(argv, compiler_words.variables, paths.tmp, &plan, end);
	return status;
}

/* Returns only if there is nothing to become: 0, the code does not compile, or a program that
 * was started ahead has run it, and `ret` says how that ended. */
static int become(const char *code, size_t length, struct job_end *ret, struct err *err)
{
	bool is_good = false;
	char **argv;
	int status = write_code(code, length, err);

	if (status == 0)
		status = compile(&is_good, ret, err);
	if (status < 0 || !is_good)
		return status;
	status = words_command(&plan.run, &words, &paths, &argv, err);
	if (status < 0)
		return status;
	if (plan.startup != NULL)
		return startup_run(&startup, argv, &words, has_variables, ret, err);
	(void)execve(argv[0], argv, words.variables);
	return err_errno(err, errno, "start %s", argv[0]);
}

static void run(const char *code, size_t length, struct span *payload, struct job_end *ret)
{
	struct err err = {0};

	if (plan.is_ahead) {
		ahead_run(&words, code, length, ret);
		span_done(payload);
		return;
	}
	if (become(code, length, ret, &err) == 0)
		return;
	(void)dprintf(STDERR_FILENO, "casemate: %s\n", err.text);
	ret->status = EXIT_CANNOT_START;
}

static const struct zygote_ops ops = {
	.load = load,
	.fork_before = nothing,
	.fork_parent = nothing,
	.fork_child = nothing,
	.enter = enter,
	.rehearse = rehearse,
	.start = start,
	.take_stdin = take_stdin,
	.add_argument = add_argument,
	.add_variable = add_variable,
	.run = run,
};

int main(int argc, char **argv)
{
	return zygote_main(argc, argv, "launch", &ops);
}
