#include "server/supervisor/config.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/memfd.h"
#include "schema/status.h"

#define KEY_MAX 64 /* bytes of one member name in a dotted path */

static int open_folder(const char *path, int *ret_fd, struct err *err)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t length = slash == NULL ? 0 : (size_t)(slash - path);
	int fd;

	if (length >= sizeof(folder))
		return err_set(err, ENAMETOOLONG, "the path of the configuration is too long");
	memcpy(folder, path, length);
	folder[length] = '\0';
	if (length == 0)
		(void)snprintf(folder, sizeof(folder), "%s", slash == NULL ? "." : "/");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "open the folder %s", folder);
	*ret_fd = fd;
	return 0;
}

static int copy_to_memfd(int from, const char *what, int *ret_fd, struct err *err)
{
	own_mem char *text = malloc(CONFIG_KEY_BYTES_MAX + 1);
	size_t length = 0;
	ssize_t got = 1;

	if (text == NULL)
		return err_errno(err, ENOMEM, "read %s", what);
	while (got > 0 && length <= CONFIG_KEY_BYTES_MAX) {
		got = read(from, text + length, CONFIG_KEY_BYTES_MAX + 1 - length);
		if (got < 0)
			return err_errno(err, errno, "read %s", what);
		length += (size_t)got;
	}
	if (length == 0 || length > CONFIG_KEY_BYTES_MAX)
		return err_set(err, EINVAL, "%s: the file is %s", what,
			       length == 0 ? "empty" : "larger than 16 MiB");
	got = memfd_from("key", text, length, ret_fd, err);
	explicit_bzero(text, length);
	return (int)got;
}

static const char *const key_members[CONFIG_KEY_MAX] = {
	[CONFIG_CHAIN] = "tls.server_certificate",
	[CONFIG_KEY] = "tls.server_key",
	[CONFIG_CA] = "tls.client_ca",
	[CONFIG_CRL] = "tls.crl",
};

static int read_keys(struct config *config, struct err *err)
{
	for (int i = 0; i < CONFIG_KEY_MAX; i++) {
		own_fd file = -1;
		int status;

		if (i == CONFIG_CRL && config_text(config, key_members[i]) == NULL)
			continue;
		status = config_open(config, key_members[i], O_RDONLY | O_NONBLOCK, &file, err);
		if (status == 0)
			status = copy_to_memfd(file, key_members[i], &config->keys[i], err);
		if (status < 0)
			return status;
	}
	return 0;
}

int config_load(struct config *ret, const char *path, const char *text, size_t length,
		struct err *err)
{
	struct config config = CONFIG_EMPTY;
	json_error_t where;
	int status;

	config.root = json_loadb(text, length, JSON_REJECT_DUPLICATES, &where);
	if (config.root == NULL)
		return err_set(err, EBADMSG, "the checked configuration, line %d: %s",
			       where.line, where.text);
	status = open_folder(path, &config.folder_fd, err);
	if (status == 0)
		status = read_keys(&config, err);
	if (status < 0)
		config_done(&config);
	else
		*ret = config;
	return status;
}

void config_done(struct config *config)
{
	json_decref(config->root);
	config->root = NULL;
	fd_drop(&config->folder_fd);
	for (int i = 0; i < CONFIG_KEY_MAX; i++)
		fd_drop(&config->keys[i]);
}

json_t *config_get(const struct config *config, const char *path)
{
	json_t *at = config->root;

	while (at != NULL && *path != '\0') {
		char key[KEY_MAX];
		size_t length = strcspn(path, ".");

		if (length >= sizeof(key))
			return NULL;
		memcpy(key, path, length);
		key[length] = '\0';
		at = json_object_get(at, key);
		path += length + (path[length] == '.');
	}
	return at;
}

static uint64_t number_of(const json_t *value)
{
	json_int_t number = json_integer_value(value);

	if (json_is_boolean(value))
		return json_is_true(value);
	return number < 0 ? 0 : (uint64_t)number;
}

uint64_t config_number(const struct config *config, const char *path)
{
	return number_of(config_get(config, path));
}

const char *config_text(const struct config *config, const char *path)
{
	return json_string_value(config_get(config, path));
}

uint64_t config_member(const json_t *object, const char *name)
{
	return number_of(json_object_get(object, name));
}

const char *config_member_text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

uint32_t config_layers(const struct config *config, const char *path)
{
	uint32_t bits = 0;
	size_t index;
	json_t *name;

	json_array_foreach(
		config_get(config, path), index,
		name) for (unsigned layer = 0; layer < LAYER_COUNT;
			   layer++) if (strcmp(json_string_value(name), layer_name(layer)) == 0)
		bits |= 1u << layer;
	return bits;
}

int config_open(const struct config *config, const char *path, int flags, int *ret_fd,
		struct err *err)
{
	const char *name = config_text(config, path);
	int fd;

	if (name == NULL)
		return err_set(err, EINVAL, "the configuration has no %s", path);
	fd = openat(config->folder_fd, name, flags | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "%s: open '%s'", path, name);
	*ret_fd = fd;
	return 0;
}
