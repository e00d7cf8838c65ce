#include "server/supervisor/runtimes.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "base/self.h"
#include "server/supervisor/plan.h"

/* For a runtime whose folder says nothing about its pool: little, because it may never be used.
 */
#define POOL_LOW_DEFAULT  1
#define POOL_HIGH_DEFAULT 2

/* For a runtime that names no list of system calls. */
#define SECCOMP_DEFAULT "base"

/* ["a", "b"] becomes "a,b"; no list, "". */
static int join(const json_t *list, const char *what, char *ret, size_t size, struct err *err)
{
	size_t length = 0;
	size_t index;
	json_t *item;

	ret[0] = '\0';
	json_array_foreach(list, index, item)
	{
		const char *text = json_string_value(item);
		int added = snprintf(ret + length, size - length, "%s%s", index > 0 ? "," : "",
				     text == NULL ? "" : text);

		if (text == NULL || strchr(text, ',') != NULL)
			return err_set(err, EINVAL, "%s: entry %zu is not a plain name", what,
				       index);
		if (added < 0 || (size_t)added >= size - length)
			return err_set(err, E2BIG, "%s: the list is too long", what);
		length += (size_t)added;
	}
	return 0;
}

/* The warden knows the lists; it refuses a name that is none. */
static int fill_seccomp(struct setup_runtime *ret, const json_t *name, struct err *err)
{
	const char *text = name == NULL ? SECCOMP_DEFAULT : json_string_value(name);

	if (text == NULL || text[0] == '\0' || strlen(text) >= sizeof(ret->seccomp))
		return err_set(err, EINVAL, "\"seccomp\" is not the name of a list");
	(void)snprintf(ret->seccomp, sizeof(ret->seccomp), "%s", text);
	return 0;
}

/* What the configuration says, else what the runtime's folder says, else the default. */
static uint32_t pool_number(const json_t *settings, const char *setting, const json_t *file,
			    const char *member, uint32_t otherwise)
{
	const json_t *pool = json_object_get(file, "pool");

	if (json_is_integer(json_object_get(settings, setting)))
		return (uint32_t)config_member(settings, setting);
	if (json_is_integer(json_object_get(pool, member)))
		return (uint32_t)config_member(pool, member);
	return otherwise;
}

static void fill_pool(struct setup_runtime *ret, const json_t *file, const json_t *settings,
		      uint32_t workers_max)
{
	uint32_t low = pool_number(settings, "pool_low", file, "low", POOL_LOW_DEFAULT);
	uint32_t high = pool_number(settings, "pool_high", file, "high", POOL_HIGH_DEFAULT);

	/* One of the two may come from the folder, and the number of workers is the operator's.
	 */
	if (json_is_integer(json_object_get(settings, "pool_low")) && high < low)
		high = low;
	ret->pool_high = high > workers_max ? workers_max : high;
	ret->pool_low = low > ret->pool_high ? ret->pool_high : low;
}

static const struct limit_row {
	const char *name;
	size_t at; /* in struct setup_runtime */
	uint64_t low, high;
} limit_rows[] = {
#define ROW(name, NAME) \
	{#name, offsetof(struct setup_runtime, name), LIMIT_##NAME##_MIN, LIMIT_##NAME##_MAX},
	RUNTIME_LIMIT_LIST(ROW)
#undef ROW
};

static int fill_limit(struct setup_runtime *ret, const char *name, const json_t *value,
		      struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(limit_rows); i++) {
		const struct limit_row *row = &limit_rows[i];
		json_int_t number = json_integer_value(value);

		if (strcmp(row->name, name) != 0)
			continue;
		if (number < (json_int_t)row->low || number > (json_int_t)row->high)
			return err_set(err, ERANGE,
				       "limits: %s is not a number from %llu to %llu", name,
				       (unsigned long long)row->low,
				       (unsigned long long)row->high);
		*(uint64_t *)(void *)((char *)ret + row->at) = (uint64_t)number;
		return 0;
	}
	return err_set(err, EINVAL, "limits: a runtime has no default of \"%s\"", name);
}

/* What a request gets that leaves a limit out; 0 is written for those not named. */
static int fill_limits(struct setup_runtime *ret, json_t *limits, struct err *err)
{
	const char *name;
	json_t *value;
	int status = 0;

	for (size_t i = 0; i < ARRAY_COUNT(limit_rows); i++)
		*(uint64_t *)(void *)((char *)ret + limit_rows[i].at) = 0;
	json_object_foreach(limits, name, value)
	{
		status = fill_limit(ret, name, value, err);
		if (status < 0)
			break;
	}
	return status;
}

static int fill(struct setup_runtime *ret, int folder_fd, const json_t *file,
		const json_t *settings, struct err *err)
{
	const char *program = config_member_text(file, "program");
	const json_t *preload = json_object_get(settings, "preload");
	int status;

	if (program == NULL || strlen(program) >= sizeof(ret->zygote))
		return err_set(err, EINVAL, "no \"program\"");
	(void)snprintf(ret->zygote, sizeof(ret->zygote), "%s", program);
	if (!json_is_array(preload))
		preload = json_object_get(file, "preload");
	status = join(preload, "preload", ret->preload, sizeof(ret->preload), err);
	if (status == 0)
		status = join(json_object_get(file, "root"), "root", ret->root_paths,
			      sizeof(ret->root_paths), err);
	if (status == 0)
		status = fill_seccomp(ret, json_object_get(file, "seccomp"), err);
	if (status == 0)
		status = fill_limits(ret, json_object_get(file, "limits"), err);
	if (status == 0)
		status = plan_fill(ret, folder_fd, json_object_get(file, "launch"), err);
	return status;
}

static int note_missing(struct setup_runtime *ret, const char *path, const json_t *file,
			struct err *err)
{
	const char *remedy = config_member_text(file, "install");

	(void)snprintf(ret->missing, sizeof(ret->missing), "%s is not installed%s%s", path,
		       remedy == NULL ? "" : "; ", remedy == NULL ? "" : remedy);
	if (!ret->is_named)
		return 0;
	return err_set(err, ENOENT,
		       "%s; or take it out of the configuration's runtimes, or set its "
		       "\"enabled\" to false",
		       ret->missing);
}

/* A runtime that the configuration names must be there. Others are offered where they are
 * installed, and told of where not. */
static int find_programs(struct setup_runtime *ret, const json_t *file, struct err *err)
{
	const json_t *argv = json_object_get(json_object_get(file, "launch"), "argv");
	const json_t *needs = json_object_get(file, "needs");
	const char *program = json_string_value(json_array_get(argv, 0));

	if (program != NULL && program[0] == '/' && access(program, X_OK) != 0)
		return note_missing(ret, program, file, err);
	for (size_t i = 0; i < json_array_size(needs); i++) {
		const char *path = json_string_value(json_array_get(needs, i));

		if (path == NULL)
			return err_set(err, EINVAL, "needs: entry %zu is not a path", i);
		if (access(path, F_OK) != 0)
			return note_missing(ret, path, file, err);
	}
	return 0;
}

static const json_t *settings_of(const struct config *config, const char *name)
{
	return json_object_get(config_get(config, "runtimes"), name);
}

static int read_file(int folder_fd, json_t **ret, struct err *err)
{
	own_fd fd = openat(folder_fd, "runtime.json", O_RDONLY | O_CLOEXEC);
	json_error_t where;

	if (fd < 0)
		return err_errno(err, errno, "open runtime.json");
	*ret = json_loadfd(fd, JSON_REJECT_DUPLICATES, &where);
	if (*ret == NULL)
		return err_set(err, EBADMSG, "runtime.json, line %d: %s", where.line,
			       where.text);
	return 0;
}

static int load_one(int folder_fd, const char *name, const struct config *config,
		    struct setup_runtime *ret, struct err *err)
{
	const json_t *settings = settings_of(config, name);
	json_t *file = NULL;
	int status = read_file(folder_fd, &file, err);

	if (status < 0)
		return status;
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	status = fill(ret, folder_fd, file, settings, err);
	fill_pool(ret, file, settings, (uint32_t)config_number(config, "pool.workers_max"));
	ret->is_named = settings != NULL;
	ret->missing[0] = '\0';
	if (status == 0)
		status = find_programs(ret, file, err);
	json_decref(file);
	return status;
}

/* Takes `take_folder`. */
static int add(struct runtimes *ret, int take_folder, const char *name,
	       const struct config *config, struct err *err)
{
	own_fd folder = take_folder;
	int status;

	if (ret->count == RUNTIMES_MAX)
		return err_set(err, E2BIG, "more than %d runtimes", RUNTIMES_MAX);
	status = load_one(folder, name, config, &ret->list[ret->count], err);
	if (status < 0)
		return err_prefix(err, "runtime %s", name);
	ret->folders[ret->count++] = fd_take(&folder);
	return 0;
}

/* Not a runtime, switched off, or told to be elsewhere. */
static bool is_passed_over(const struct config *config, int parent, const char *name)
{
	const json_t *settings = settings_of(config, name);
	char path[LIMIT_NAME_BYTES + sizeof("/runtime.json")];

	if (name[0] == '.' || strlen(name) > LIMIT_NAME_BYTES)
		return true;
	(void)snprintf(path, sizeof(path), "%s/runtime.json", name);
	return faccessat(parent, path, F_OK, 0) != 0 ||
	       json_is_false(json_object_get(settings, "enabled")) ||
	       config_member_text(settings, "folder") != NULL;
}

/* Those that came with the service. */
static int load_installed(DIR *dir, struct runtimes *ret, const struct config *config,
			  struct err *err)
{
	const struct dirent *entry;
	int status = 0;

	while (status == 0 && (entry = readdir(dir)) != NULL) {
		int folder;

		if (is_passed_over(config, dirfd(dir), entry->d_name))
			continue;
		folder = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		status = folder < 0 ? err_errno(err, errno, "open %s", entry->d_name)
				    : add(ret, folder, entry->d_name, config, err);
	}
	return status;
}

static bool is_loaded(const struct runtimes *runtimes, const char *name)
{
	for (size_t i = 0; i < runtimes->count; i++)
		if (strcmp(runtimes->list[i].name, name) == 0)
			return true;
	return false;
}

/* Those that the configuration names: with a folder of their own, or installed. */
static int load_named(struct runtimes *ret, const struct config *config, struct err *err)
{
	const char *name;
	json_t *settings;

	json_object_foreach(config_get(config, "runtimes"), name, settings)
	{
		const char *path = config_member_text(settings, "folder");
		int folder;
		int status;

		if (json_is_false(json_object_get(settings, "enabled")) ||
		    (path == NULL && is_loaded(ret, name)))
			continue;
		if (path == NULL)
			return err_set(err, ENOENT,
				       "runtime %s: none is installed under this name, and the "
				       "configuration names no \"folder\"",
				       name);
		folder = openat(config->folder_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (folder < 0)
			return err_errno(err, errno, "runtime %s: open the folder %s", name,
					 path);
		status = add(ret, folder, name, config, err);
		if (status < 0)
			return status;
	}
	return 0;
}

int runtimes_load(struct runtimes *ret, const struct config *config, struct err *err)
{
	char path[PATH_MAX];
	int status = self_path("../../share/casemate/runtimes", path, sizeof(path), err);
	DIR *dir;

	ret->count = 0;
	if (status < 0)
		return status;
	dir = opendir(path);
	if (dir == NULL)
		return err_errno(err, errno, "open %s", path);
	status = load_installed(dir, ret, config, err);
	(void)closedir(dir);
	if (status == 0)
		status = load_named(ret, config, err);
	if (status == 0 && ret->count == 0)
		status = err_set(err, ENOENT, "no runtime is installed and enabled");
	if (status < 0)
		runtimes_done(ret);
	return status;
}

void runtimes_done(struct runtimes *runtimes)
{
	for (size_t i = 0; i < runtimes->count; i++)
		fd_drop(&runtimes->folders[i]);
	runtimes->count = 0;
}
