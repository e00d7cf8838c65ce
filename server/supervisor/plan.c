#include "server/supervisor/plan.h"

#include <fcntl.h>
#include <string.h>

#include "base/buf.h"

#define FILE_PREFIX "{file:"

/* A file's text, whole, in place of the word that names it. */
static int add_file(struct buf *buf, int folder_fd, const char *word, struct err *err)
{
	char name[LIMIT_NAME_BYTES + 1];
	char text[4096];
	size_t length = strlen(word) - sizeof(FILE_PREFIX);
	own_fd fd = -1;
	ssize_t got;

	if (length == 0 || length >= sizeof(name) || strchr(word, '/') != NULL)
		return err_set(err, EINVAL, "\"%s\" names no file of the runtime's folder",
			       word);
	memcpy(name, word + sizeof(FILE_PREFIX) - 1, length);
	name[length] = '\0';
	fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open %s", name);
	while ((got = read(fd, text, sizeof(text))) > 0)
		buf_add(buf, text, (size_t)got);
	return got < 0 ? err_errno(err, errno, "read %s", name) : 0;
}

static int add_record(struct buf *buf, int folder_fd, const char *key, const char *value,
		      struct err *err)
{
	size_t length = value == NULL ? 0 : strlen(value);
	int status = 0;

	if (length == 0)
		return err_set(err, EINVAL, "launch: \"%s\" is not a text", key);
	buf_printf(buf, "%s ", key);
	if (strncmp(value, FILE_PREFIX, sizeof(FILE_PREFIX) - 1) == 0 &&
	    value[length - 1] == '}')
		status = add_file(buf, folder_fd, value, err);
	else
		buf_add(buf, value, length);
	buf_printf(buf, "%c", SETUP_PLAN_RECORD_END);
	return status;
}

static int add_words(struct buf *buf, int folder_fd, const char *key, const json_t *list,
		     struct err *err)
{
	size_t index;
	json_t *word;
	int status = 0;

	if (!json_is_array(list))
		return err_set(err, EINVAL, "launch: no list \"%s\"", key);
	for (index = 0; index < json_array_size(list) && status == 0; index++) {
		word = json_array_get(list, index);
		status = add_record(buf, folder_fd, key, json_string_value(word), err);
	}
	return status;
}

static int add_variables(struct buf *buf, json_t *variables, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach(variables, name, value)
	{
		if (!json_is_string(value))
			return err_set(err, EINVAL, "launch: env: %s is not a text", name);
		buf_printf(buf, "env %s=%s%c", name, json_string_value(value),
			   SETUP_PLAN_RECORD_END);
	}
	return 0;
}

static int take_time(const json_t *compile, const char *name, uint32_t max, uint32_t *ret,
		     struct err *err)
{
	json_int_t number = json_integer_value(json_object_get(compile, name));

	if (number < 1 || number > (json_int_t)max)
		return err_set(err, ERANGE, "launch: compile: %s is not a time from 1 to %u",
			       name, max);
	*ret = (uint32_t)number;
	return 0;
}

static int add_compile(struct setup_runtime *ret, struct buf *buf, int folder_fd,
		       const json_t *compile, struct err *err)
{
	int status =
		add_words(buf, folder_fd, "compile", json_object_get(compile, "argv"), err);

	if (status == 0)
		status = take_time(compile, "wall_ms", LIMIT_WALL_MS_MAX, &ret->compile_wall_ms,
				   err);
	if (status == 0)
		status = take_time(compile, "cpu_ms", LIMIT_CPU_MS_MAX, &ret->compile_cpu_ms,
				   err);
	buf_printf(buf, "compile_wall_ms %u%ccompile_cpu_ms %u%c", ret->compile_wall_ms,
		   SETUP_PLAN_RECORD_END, ret->compile_cpu_ms, SETUP_PLAN_RECORD_END);
	return status;
}

static int add_all(struct setup_runtime *ret, struct buf *buf, int folder_fd,
		   const json_t *launch, struct err *err)
{
	const json_t *compile = json_object_get(launch, "compile");
	const json_t *ahead = json_object_get(launch, "ahead");
	const char *code = json_string_value(json_object_get(launch, "code"));
	int status = add_words(buf, folder_fd, "argv", json_object_get(launch, "argv"), err);

	if (status == 0)
		status = add_words(buf, folder_fd, "version",
				   json_object_get(launch, "version"), err);
	if (status == 0)
		status = add_variables(buf, json_object_get(launch, "env"), err);
	if (status == 0 && code != NULL)
		status = add_record(buf, folder_fd, "code", code, err);
	if (status == 0 && compile != NULL)
		status = add_compile(ret, buf, folder_fd, compile, err);
	if (status == 0 && json_is_true(ahead))
		status = add_record(buf, folder_fd, "ahead", "1", err);
	else if (status == 0 && ahead != NULL && !json_is_false(ahead))
		status = add_record(buf, folder_fd, "startup", json_string_value(ahead), err);
	return status;
}

int plan_fill(struct setup_runtime *ret, int folder_fd, const json_t *launch, struct err *err)
{
	const json_t *ahead;
	own_buf buf;
	int status;

	buf_init(&buf, SETUP_PLAN_BYTES_MAX);
	ret->start = RUNTIME_FORK;
	ret->plan[0] = '\0';
	ret->compile_wall_ms = 0;
	ret->compile_cpu_ms = 0;
	if (launch == NULL)
		return 0;
	status = add_all(ret, &buf, folder_fd, launch, err);
	if (status < 0)
		return status;
	if (buf_check(&buf, err) < 0)
		return err_prefix(err, "launch: too long");
	ahead = json_object_get(launch, "ahead");
	ret->start = RUNTIME_EXEC;
	if (ahead != NULL && !json_is_false(ahead))
		ret->start = json_is_string(ahead) ? RUNTIME_SHELL : RUNTIME_AHEAD;
	(void)snprintf(ret->plan, sizeof(ret->plan), "%.*s", (int)buf.length, buf.data);
	return 0;
}
