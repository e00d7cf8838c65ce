#include "validator/oneshot.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "validator/catalog.h"
#include "validator/config.h"
#include "validator/json_guard.h"
#include "validator/openapi.h"
#include "validator/policies.h"
#include "validator/rule_ids.h"

#define EXIT_BAD 1 /* the input or the installation is wrong; standard error says how */

#define SCHEMAS_FROM_PROGRAM "/../../share/casemate/schema"

int oneshot_open_schemas(int *ret_fd, struct err *err)
{
	char path[PATH_MAX + sizeof(SCHEMAS_FROM_PROGRAM)];
	ssize_t length = readlink("/proc/self/exe", path, PATH_MAX);
	char *slash;
	int fd;

	if (length < 0 || length >= PATH_MAX)
		return err_errno(err, length < 0 ? errno : ENAMETOOLONG, "find this program");
	path[length] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return err_set(err, ENOENT, "find this program's folder");
	memcpy(slash, SCHEMAS_FROM_PROGRAM, sizeof(SCHEMAS_FROM_PROGRAM));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "schema folder %.200s", path);
	*ret_fd = fd;
	return 0;
}

/* What a configuration is judged by beside its schema. */
struct installed {
	json_t *policies, *rule_ids;
};

static void installed_done(struct installed *installed)
{
	json_decref(installed->policies);
	json_decref(installed->rule_ids);
}

/* `ret`: NULL when they are not wanted. */
static int load_installed(struct catalog *catalog, struct installed *ret, struct err *err)
{
	own_fd folder = -1;
	int status = oneshot_open_schemas(&folder, err);

	if (status == 0)
		status = catalog_load(catalog, folder, err);
	if (status == 0 && ret != NULL)
		status = policies_read(folder, catalog->schemas[CATALOG_POLICY], &ret->policies,
				       err);
	if (status == 0 && ret != NULL)
		status = rule_ids_read(folder, catalog->schemas[CATALOG_RULES], &ret->rule_ids,
				       err);
	return status;
}

static int read_file(const char *path, struct buf *text, struct err *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	own_fd fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
			     : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int status;

	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	status = buf_read(text, fd);
	if (status < 0)
		return err_errno(err, -status, "%s", path);
	if (text->has_failed)
		return err_set(err, EFBIG, "%s: larger than %u bytes", path, CONFIG_BYTES_MAX);
	return 0;
}

static void print_faults(const char *path, const struct faults *faults, FILE *out)
{
	for (size_t i = 0; i < faults->count; i++) {
		const struct fault *fault = &faults->list[i];

		(void)fprintf(out, "%s: %s%s%s.%s%s\n", path, fault->pointer,
			      fault->pointer[0] != '\0' ? ": " : "", fault->detail,
			      fault->hint[0] != '\0' ? " " : "", fault->hint);
	}
	if (faults->has_more)
		(void)fprintf(out, "%s: there are more faults\n", path);
}

/* A full disk or a closed pipe must not look like success. */
static int print_json(const json_t *document, FILE *out, FILE *err_out)
{
	if (json_dumpf(document, out, JSON_INDENT(2)) != 0 || fputc('\n', out) == EOF ||
	    fflush(out) != 0) {
		(void)fprintf(err_out, "casemate-validator: cannot write: %s\n",
			      strerror(errno));
		return EXIT_BAD;
	}
	return EXIT_SUCCESS;
}

static int config_print(const struct catalog *catalog, const struct installed *installed,
			const char *path, const struct buf *text, FILE *out, FILE *err_out)
{
	own_mem struct faults *faults = malloc(sizeof(*faults));
	json_t *config = NULL;
	int status = faults == NULL ? -ENOMEM
				    : config_check(catalog->schemas[CATALOG_CONFIG],
						   installed->policies, installed->rule_ids,
						   text->data != NULL ? text->data : "",
						   text->length, &config, faults);

	if (status == -EBADMSG)
		print_faults(path, faults, err_out);
	else if (status < 0)
		(void)fprintf(err_out, "casemate-validator: %s\n", strerror(-status));
	else
		status = print_json(config, out, err_out);
	json_decref(config);
	return status == 0 ? EXIT_SUCCESS : EXIT_BAD;
}

int oneshot_config(const char *path, FILE *out, FILE *err_out)
{
	struct catalog catalog = {.documents = {NULL}};
	struct installed installed = {.policies = NULL};
	struct err err = {0};
	own_buf text;
	int code = EXIT_BAD;
	int status = load_installed(&catalog, &installed, &err);

	buf_init(&text, CONFIG_BYTES_MAX);
	if (status == 0)
		status = read_file(path, &text, &err);
	if (status < 0)
		(void)fprintf(err_out, "casemate-validator: %s\n", err.text);
	else
		code = config_print(&catalog, &installed, path, &text, out, err_out);
	installed_done(&installed);
	catalog_done(&catalog);
	return code;
}

int oneshot_openapi(FILE *out, FILE *err_out)
{
	struct catalog catalog = {.documents = {NULL}};
	json_t *document = NULL;
	struct err err = {0};
	int code = EXIT_BAD;
	int status = load_installed(&catalog, NULL, &err);

	if (status == 0)
		status = openapi_make(&catalog, &document, &err);
	if (status < 0)
		(void)fprintf(err_out, "casemate-validator: %s\n", err.text);
	else
		code = print_json(document, out, err_out);
	json_decref(document);
	catalog_done(&catalog);
	return code;
}
