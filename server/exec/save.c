#include "server/exec/save.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "server/client/client.h"
#include "server/exec/answer.h"

/* One segment of a path; never a way out of the folder that it is opened in. */
static bool is_segment(const char *segment)
{
	return segment[0] != '\0' && strcmp(segment, ".") != 0 && strcmp(segment, "..") != 0;
}

/* Goes down one folder, making it if needed; a link in its place is an error. */
static int go_down(int *folder_fd, const char *segment, struct err *err)
{
	own_fd next = -1;

	if (!is_segment(segment))
		return err_set(err, EINVAL, "it is no relative, normalised path");
	if (mkdirat(*folder_fd, segment, 0777) != 0 && errno != EEXIST)
		return err_errno(err, errno, "make folder %s", segment);
	next = openat(*folder_fd, segment, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0)
		return err_errno(err, errno, "open folder %s", segment);
	fd_drop(folder_fd);
	*folder_fd = fd_take(&next);
	return 0;
}

static int make_file(const char *folder, const char *path, int *ret_fd, struct err *err)
{
	own_fd at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_mem char *copy = strdup(path);
	char *name = copy;
	char *slash;
	int fd;

	if (at < 0)
		return err_errno(err, errno, "open %s", folder);
	if (copy == NULL)
		return err_errno(err, ENOMEM, "path");
	while ((slash = strchr(name, '/')) != NULL) {
		*slash = '\0';
		if (go_down(&at, name, err) < 0)
			return -err->code;
		name = slash + 1;
	}
	if (!is_segment(name))
		return err_set(err, EINVAL, "it is no relative, normalised path");
	fd = openat(at, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return err_errno(err, errno, "make it");
	*ret_fd = fd;
	return 0;
}

/* The bytes of a file that did not come with the answer. */
static int fetch(const struct options *options, const char *href, FILE *out, struct err *err)
{
	own_client client = {0};
	own_buf content = {0};
	long status = 0;

	if (client_open(&client, &options->place, err) < 0 ||
	    client_get(&client, href, &content, &status, err) < 0)
		return -err->code;
	if (status != 200)
		return err_set(err, EIO, "the service answers %ld", status);
	if (content.length > 0)
		(void)fwrite(content.data, 1, content.length, out);
	return 0;
}

static int write_content(const struct options *options, const json_t *file, FILE *out,
			 struct err *err)
{
	const json_t *content = json_object_get(file, "content");
	const char *encoding = json_string_value(json_object_get(file, "encoding"));
	const char *href = json_string_value(json_object_get(file, "href"));

	if (json_is_string(content)) {
		answer_write_text(content, encoding, out);
		return 0;
	}
	if (href == NULL || strncmp(href, "/v1/executions/", 15) != 0)
		return err_set(err, ENODATA, "it was too large, and is not kept");
	return fetch(options, href, out, err);
}

static int save_file(const struct options *options, const json_t *file, struct err *err)
{
	const char *path = json_string_value(json_object_get(file, "path"));
	FILE *out;
	int status;
	int fd = -1;

	if (path == NULL)
		return err_set(err, EINVAL, "it has no path");
	status = make_file(options->output_folder, path, &fd, err);
	if (status < 0)
		return status;
	out = fdopen(fd, "wb");
	if (out == NULL) {
		(void)close(fd);
		return err_errno(err, ENOMEM, "open it");
	}
	status = write_content(options, file, out, err);
	if (status == 0 && fflush(out) != 0)
		status = err_errno(err, errno, "write it");
	(void)fclose(out);
	return status;
}

unsigned save_files(const struct options *options, const json_t *document)
{
	unsigned failed = 0;
	size_t index;
	json_t *file;

	if (mkdir(options->output_folder, 0777) != 0 && errno != EEXIST) {
		(void)fprintf(stderr, "casemate exec: --output-dir %s: %s\n",
			      options->output_folder, strerror(errno));
		return 1;
	}
	json_array_foreach(json_object_get(document, "files"), index, file)
	{
		const char *path = json_string_value(json_object_get(file, "path"));
		struct err err;

		if (save_file(options, file, &err) == 0)
			continue;
		(void)fprintf(stderr, "casemate exec: %s is not written: %s\n",
			      path != NULL ? path : "a file", err.text);
		failed++;
	}
	return failed;
}
