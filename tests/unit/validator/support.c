#include "tests/unit/validator/support.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/memfd.h"
#include "validator/code/policy_files.h"
#include "validator/outcome.h"
#include "validator/request.h"

const struct catalog *support_catalog(void)
{
	static struct catalog catalog;
	static bool is_loaded;
	struct err err = {0};
	own_fd folder = -1;

	if (is_loaded)
		return &catalog;
	folder = open("schema/v1", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(folder >= 0, "run the tests from the top of the checkout");
	cr_assert(catalog_load(&catalog, folder, &err) == 0, "%s", err.text);
	is_loaded = true;
	return &catalog;
}

json_t *support_policies(void)
{
	static json_t *policies;
	struct err err = {0};
	own_fd folder = -1;

	if (policies != NULL)
		return policies;
	folder = open("validator/policies", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	policies = json_object();
	cr_assert(policy_files_load(folder, support_catalog()->schemas[CATALOG_POLICY],
				    policies, &err) == 0,
		  "%s", err.text);
	return policies;
}

char *support_quotes(const char *text)
{
	char *copy = strdup(text);

	for (char *at = copy; *at != '\0'; at++)
		if (*at == '\'')
			*at = '"';
	return copy;
}

json_t *support_json(const char *text)
{
	char *copy = support_quotes(text);
	json_t *value = json_loads(copy, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	cr_assert(value != NULL, "test literal: %s", text);
	free(copy);
	return value;
}

char *support_read(const char *path, size_t *ret_length)
{
	FILE *file = fopen(path, "re");
	char *data = NULL;
	long length;

	if (file == NULL)
		return NULL;
	cr_assert(fseek(file, 0, SEEK_END) == 0);
	length = ftell(file);
	rewind(file);
	data = malloc((size_t)length + 1);
	cr_assert(fread(data, 1, (size_t)length, file) == (size_t)length);
	data[length] = '\0';
	*ret_length = (size_t)length;
	(void)fclose(file);
	return data;
}

struct check_request support_ask(void)
{
	return (struct check_request){
		.tenant = "dev",
		.policy = "open",
		.wall_ms = LIMIT_WALL_MS_MAX,
		.cpu_ms = LIMIT_CPU_MS_MAX,
		.memory_bytes = LIMIT_MEMORY_BYTES_MAX,
		.output_bytes = LIMIT_OUTPUT_BYTES_MAX,
		.processes = LIMIT_PROCESSES_MAX,
		.open_files = LIMIT_OPEN_FILES_MAX,
		.workspace_bytes = LIMIT_WORKSPACE_BYTES_MAX,
	};
}

struct checked *support_request_bytes(const char *text, size_t length,
				      const struct check_request *ask)
{
	struct checked *checked = calloc(1, sizeof(*checked));
	struct check_request plain = support_ask();
	own_json *document = NULL;
	struct err err = {0};

	buf_init(&checked->payload, LIMIT_PAYLOAD_BYTES);
	checked->status =
		request_read(support_catalog()->schemas[CATALOG_REQUEST], text, length,
			     &document, &checked->bad, &checked->faults, &err);
	if (checked->status == 0)
		checked->status =
			request_check(document, ask != NULL ? ask : &plain, &checked->good,
				      &checked->payload, &checked->bad, &checked->faults, &err);
	return checked;
}

struct checked *support_request(const char *text, const struct check_request *ask)
{
	char *copy = support_quotes(text);
	struct checked *checked = support_request_bytes(copy, strlen(copy), ask);

	free(copy);
	return checked;
}

void checked_free(struct checked *checked)
{
	buf_done(&checked->payload);
	free(checked);
}

bool has_fault(const struct faults *faults, const char *pointer, const char *rule)
{
	for (size_t i = 0; i < faults->count; i++)
		if (strcmp(faults->list[i].pointer, pointer) == 0 &&
		    strcmp(faults->list[i].rule, rule) == 0)
			return true;
	return false;
}

json_t *support_outcome(const struct check_outcome *ask, const struct buf *bundle)
{
	struct outcome_writer writer;
	struct span span = {.data = bundle->data != NULL ? bundle->data : "",
			    .length = bundle->length};
	struct err err = {0};
	own_buf members;
	own_buf text;
	json_t *value;

	buf_init(&members, LIMIT_FRAGMENT_BYTES);
	buf_init(&text, LIMIT_FRAGMENT_BYTES);
	cr_assert(outcome_writer_init(&writer, support_catalog()->schemas[CATALOG_REPORT],
				      &err) == 0);
	cr_assert(outcome_write(&writer, ask, &span, &members, &err) == 0, "%s", err.text);
	outcome_writer_done(&writer);
	buf_add_char(&text, '{');
	buf_add(&text, members.data, members.length);
	buf_add_char(&text, '}');
	value = json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
			   NULL);
	cr_assert(value != NULL, "members are not JSON: %s", members.data);
	return value;
}
