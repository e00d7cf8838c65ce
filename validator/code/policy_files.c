#include "validator/code/policy_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "schema/limits.h"
#include "validator/json_guard.h"

static int read_document(int folder, const char *path, json_t **ret, struct err *err)
{
	own_fd fd = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	own_mem struct faults *faults = malloc(sizeof(*faults));
	own_buf text = {.data = NULL};
	int status;

	buf_init(&text, POLICY_FILE_BYTES_MAX);
	if (fd < 0)
		return err_errno(err, errno, "policy %s", path);
	if (faults == NULL)
		return err_set(err, ENOMEM, "memory for a policy");
	status = buf_read(&text, fd);
	if (status < 0)
		return err_errno(err, -status, "policy %s", path);
	if (text.has_failed)
		return err_set(err, EFBIG, "policy %s: larger than %u bytes", path,
			       POLICY_FILE_BYTES_MAX);
	if (json_guard_parse(text.data != NULL ? text.data : "", text.length, ret, faults) < 0)
		return err_set(err, EINVAL, "policy %s: %.200s", path, faults->list[0].detail);
	return 0;
}

int policy_file_add(int folder, const char *path, const char *name, const struct schema *schema,
		    json_t *documents, struct err *err)
{
	own_json *document = NULL;
	own_schema_report report = {.errors = NULL};
	int status = read_document(folder, path, &document, err);

	if (status < 0)
		return status;
	schema_report_init(&report);
	if (schema_judge(schema, document, &report) != SCHEMA_VALID)
		return err_set(err, EINVAL, "policy %s: %.60s: %.150s", path,
			       report.error_count > 0 ? report.errors[0].instance : "",
			       report.error_count > 0 ? report.errors[0].text
						      : "cannot be judged");
	if (schema_fill(schema, document) < 0 ||
	    json_object_set(documents, name, document) != 0)
		return err_set(err, ENOMEM, "memory for a policy");
	return 0;
}

int policy_files_load(int folder, const struct schema *schema, json_t *documents,
		      struct err *err)
{
	struct dirent **entries = NULL;
	int count = scandirat(folder, ".", &entries, NULL, alphasort);
	int status = 0;

	if (count < 0)
		return err_errno(err, errno, "folder of policies");
	for (int i = 0; i < count; i++) {
		size_t length = strlen(entries[i]->d_name);
		char name[LIMIT_NAME_BYTES + 1];

		if (status == 0 && length > 5 && length - 5 < sizeof(name) &&
		    strcmp(entries[i]->d_name + length - 5, ".json") == 0) {
			memcpy(name, entries[i]->d_name, length - 5);
			name[length - 5] = '\0';
			status = policy_file_add(folder, entries[i]->d_name, name, schema,
						 documents, err);
		}
		free(entries[i]);
	}
	free(entries);
	return status;
}
