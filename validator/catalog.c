#include "validator/catalog.h"

#include <fcntl.h>
#include <stdio.h>

#include "base/buf.h"
#include "validator/json_guard.h"

#define SCHEMA_FILE_BYTES_MAX (1u << 20) /* ours have under 32 KiB */

static const char *const file_names[] = {
#define X(symbol, file, component) file ".schema.json",
	CATALOG_LIST(X)
#undef X
};

static int read_all(int folder, const char *name, struct buf *text, struct err *err)
{
	own_fd fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int status;

	if (fd < 0)
		return err_errno(err, errno, "schema file %s", name);
	status = buf_read(text, fd);
	if (status < 0)
		return err_errno(err, -status, "schema file %s", name);
	return buf_check(text, err);
}

static int load_one(struct catalog *catalog, enum catalog_name which, int folder,
		    struct err *err)
{
	own_buf text;
	struct faults faults;
	int status;

	buf_init(&text, SCHEMA_FILE_BYTES_MAX);
	status = read_all(folder, file_names[which], &text, err);
	if (status < 0)
		return status;
	status = json_guard_parse(text.data != NULL ? text.data : "", text.length,
				  &catalog->documents[which], &faults);
	if (status == -ENOMEM)
		return err_errno(err, ENOMEM, "load schemas");
	if (status < 0)
		return err_set(err, EINVAL, "schema file %s: %.200s", file_names[which],
			       faults.list[0].detail);
	status = schema_compile(catalog->documents[which], SCHEMA_STRICT,
				&catalog->schemas[which], err);
	return status < 0 ? err_prefix(err, "%s", file_names[which]) : 0;
}

int catalog_load(struct catalog *catalog, int fd, struct err *err)
{
	*catalog = (struct catalog){.documents = {NULL}};
	for (unsigned i = 0; i < CATALOG_COUNT; i++) {
		int status = load_one(catalog, (enum catalog_name)i, fd, err);

		if (status < 0)
			return status;
	}
	return 0;
}

void catalog_done(struct catalog *catalog)
{
	for (unsigned i = 0; i < CATALOG_COUNT; i++) {
		schema_free(catalog->schemas[i]);
		json_decref(catalog->documents[i]);
	}
	*catalog = (struct catalog){.documents = {NULL}};
}
