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

static int read_one(struct catalog *catalog, enum catalog_name which, int folder,
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
	return 0;
}

static const char *id_of(const json_t *document)
{
	const char *id = json_string_value(json_object_get(document, "$id"));

	return id != NULL ? id : "";
}

/* In one store, because they refer to one another by $id. */
static int compile_all(struct catalog *catalog, struct schema_store *store, struct err *err)
{
	for (unsigned i = 0; i < CATALOG_COUNT; i++) {
		int status = schema_store_add(store, id_of(catalog->documents[i]),
					      catalog->documents[i], err);

		if (status < 0)
			return err_prefix(err, "%s", file_names[i]);
	}
	for (unsigned i = 0; i < CATALOG_COUNT; i++) {
		int status = schema_store_compile(store, id_of(catalog->documents[i]),
						  catalog->documents[i], SCHEMA_STRICT,
						  &catalog->schemas[i], err);

		if (status < 0)
			return err_prefix(err, "%s", file_names[i]);
	}
	return 0;
}

int catalog_load(struct catalog *catalog, int fd, struct err *err)
{
	struct schema_store *store = NULL;
	int status = 0;

	*catalog = (struct catalog){.documents = {NULL}};
	for (unsigned i = 0; status == 0 && i < CATALOG_COUNT; i++)
		status = read_one(catalog, (enum catalog_name)i, fd, err);
	if (status == 0)
		status = schema_store_new(&store, err);
	if (status == 0)
		status = compile_all(catalog, store, err);
	schema_store_free(store);
	return status;
}

void catalog_done(struct catalog *catalog)
{
	for (unsigned i = 0; i < CATALOG_COUNT; i++) {
		schema_free(catalog->schemas[i]);
		json_decref(catalog->documents[i]);
	}
	*catalog = (struct catalog){.documents = {NULL}};
}
