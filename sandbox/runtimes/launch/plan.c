#include "sandbox/runtimes/launch/plan.h"

#include <string.h>

#include "schema/wire/setup.h"

static int add_word(struct plan_command *command, const char *word, struct err *err)
{
	if (command->count == PLAN_WORDS_MAX)
		return err_set(err, E2BIG, "a command of more than %d words", PLAN_WORDS_MAX);
	command->words[command->count++] = word;
	return 0;
}

static int add_variable(struct plan *plan, const char *text, struct err *err)
{
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return err_set(err, EINVAL, "\"%s\" is no variable", text);
	if (plan->variable_count == PLAN_VARIABLES_MAX)
		return err_set(err, E2BIG, "more than %d variables", PLAN_VARIABLES_MAX);
	plan->variables[plan->variable_count++] = text;
	return 0;
}

static int set_code(struct plan *plan, const char *name, struct err *err)
{
	if (name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
		return err_set(err, EINVAL, "\"%s\" is no name for the code's file", name);
	plan->code = name;
	return 0;
}

static int set_startup(struct plan *plan, const char *name, struct err *err)
{
	if (name[0] == '\0' || strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") != strlen(name))
		return err_set(err, EINVAL, "\"%s\" is no variable of a shell's start", name);
	plan->startup = name;
	return 0;
}

static int set_time(unsigned *ret, const char *value, struct err *err)
{
	char *end;
	unsigned long number = strtoul(value, &end, 10);

	if (*end != '\0' || number == 0 || number > LIMIT_WALL_MS_MAX)
		return err_set(err, ERANGE, "\"%s\" is no time in milliseconds", value);
	*ret = (unsigned)number;
	return 0;
}

static int take(struct plan *plan, const char *key, const char *value, struct err *err)
{
	if (strcmp(key, "argv") == 0)
		return add_word(&plan->run, value, err);
	if (strcmp(key, "version") == 0)
		return add_word(&plan->version, value, err);
	if (strcmp(key, "env") == 0)
		return add_variable(plan, value, err);
	if (strcmp(key, "code") == 0)
		return set_code(plan, value, err);
	if (strcmp(key, "compile") == 0)
		return add_word(&plan->compile, value, err);
	if (strcmp(key, "compile_wall_ms") == 0)
		return set_time(&plan->compile_wall_ms, value, err);
	if (strcmp(key, "compile_cpu_ms") == 0)
		return set_time(&plan->compile_cpu_ms, value, err);
	if (strcmp(key, "startup") == 0)
		return set_startup(plan, value, err);
	if (strcmp(key, "ahead") != 0)
		return err_set(err, EINVAL, "\"%s\" is unknown", key);
	plan->is_ahead = strcmp(value, "1") == 0;
	return 0;
}

static bool is_path(const char *word)
{
	return word[0] == '/' || strcmp(word, "{loader}") == 0;
}

static int check(const struct plan *plan, struct err *err)
{
	if (plan->run.count == 0 || plan->version.count == 0)
		return err_set(err, EINVAL, "no command for the %s",
			       plan->run.count == 0 ? "job" : "version");
	if (!is_path(plan->run.words[0]) || !is_path(plan->version.words[0]) ||
	    (plan->compile.count > 0 && !is_path(plan->compile.words[0])))
		return err_set(err, EINVAL, "a program is no absolute path");
	if (plan->compile.count > 0 &&
	    (plan->is_ahead || plan->startup != NULL || plan->compile_wall_ms == 0 ||
	     plan->compile_cpu_ms == 0))
		return err_set(err, EINVAL, "a compiler needs its times, and nothing ahead");
	if ((plan->code == NULL) != plan->is_ahead)
		return err_set(err, EINVAL, "either a file for the code, or started ahead");
	return 0;
}

int plan_parse(char *text, struct plan *ret, struct err *err)
{
	struct plan plan = {.code = NULL};
	char *end;
	int status = 0;

	for (char *record = text; status == 0 && *record != '\0'; record = end + 1) {
		char *space = strchr(record, ' ');

		end = strchr(record, SETUP_PLAN_RECORD_END);
		if (end == NULL || space == NULL || space > end)
			return err_set(err, EBADMSG, "the plan is cut off");
		*end = '\0';
		*space = '\0';
		status = take(&plan, record, space + 1, err);
	}
	if (status == 0)
		status = check(&plan, err);
	if (status < 0)
		return status;
	*ret = plan;
	return 0;
}
