#include "server/supervisor/runtimes.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
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
		status = plan_fill(ret, folder_fd, json_object_get(file, "launch"), err);
	return status;
}

/* 1: loaded; 0: not a runtime, or switched off. */
static int load_one(int parent, const char *name, const struct config *config,
		    struct setup_runtime *ret, int *ret_folder, struct err *err)
{
	own_fd folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *settings = json_object_get(config_get(config, "runtimes"), name);
	own_fd fd = -1;
	json_error_t where;
	json_t *file;
	int status;

	if (folder < 0 || json_is_false(json_object_get(settings, "enabled")))
		return 0;
	fd = openat(folder, "runtime.json", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(err, errno, "open runtime.json");
	file = json_loadfd(fd, JSON_REJECT_DUPLICATES, &where);
	if (file == NULL)
		return err_set(err, EBADMSG, "runtime.json, line %d: %s", where.line,
			       where.text);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	status = fill(ret, folder, file, settings, err);
	fill_pool(ret, file, settings, (uint32_t)config_number(config, "pool.workers_max"));
	json_decref(file);
	if (status < 0)
		return status;
	*ret_folder = fd_take(&folder);
	return 1;
}

static int load_all(DIR *dir, struct runtimes *ret, const struct config *config,
		    struct err *err)
{
	const struct dirent *entry;

	while ((entry = readdir(dir)) != NULL) {
		int status;

		if (entry->d_name[0] == '.' || strlen(entry->d_name) > LIMIT_NAME_BYTES)
			continue;
		if (ret->count == RUNTIMES_MAX)
			return err_set(err, E2BIG, "more than %d runtimes are installed",
				       RUNTIMES_MAX);
		status = load_one(dirfd(dir), entry->d_name, config, &ret->list[ret->count],
				  &ret->folders[ret->count], err);
		if (status < 0)
			return err_prefix(err, "runtime %s", entry->d_name);
		ret->count += (size_t)status;
	}
	if (ret->count == 0)
		return err_set(err, ENOENT, "no runtime is installed and enabled");
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
	status = load_all(dir, ret, config, err);
	(void)closedir(dir);
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
