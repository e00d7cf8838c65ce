/*
 * Fuzzes what the gate reads of a request for a file: a range, entity tags, an escaped path.
 * Any bytes give a verdict, a range that is accepted lies in the file, and a path that is
 * accepted is relative, normalised and printable.
 */
#include <stdlib.h>
#include <string.h>

#include "schema/limits.h"
#include "server/gate/range.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
	if (!condition)
		abort();
}

static void check_range(struct text text, uint64_t size)
{
	uint64_t first = 0;
	uint64_t length = 0;

	if (range_parse(text, size, &first, &length) == RANGE_PART)
		must(length > 0 && first < size && length <= size - first);
}

static void check_path(struct text text)
{
	char path[LIMIT_PATH_BYTES + 1];

	if (!path_decode(text, path, sizeof(path)))
		return;
	must(path[0] != '\0' && path[0] != '/' && strlen(path) <= LIMIT_PATH_BYTES);
	must(path[strlen(path) - 1] != '/' && strstr(path, "//") == NULL);
	must(strcmp(path, "..") != 0 && strncmp(path, "../", 3) != 0);
	must(strstr(path, "/../") == NULL && strstr(path, "/./") == NULL);
	for (const char *at = path; *at != '\0'; at++)
		must((unsigned char)*at >= 0x20 && *at != 0x7F);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *raw; /* of that size exactly: the sanitizer sees each over-read */
	uint64_t file_size = 0;
	struct text text;

	if (size < 8)
		return 0;
	memcpy(&file_size, data, 8);
	raw = malloc(size - 8 + 1);
	must(raw != NULL);
	memcpy(raw, data + 8, size - 8);
	text = (struct text){raw, size - 8};
	check_range(text, file_size % (LIMIT_FILES_READ_BYTES + 1));
	check_range(text, file_size);
	(void)etag_is_listed(text, "\"5f70bf18a086007016e948b04aed3b82\"");
	(void)etag_is_matched(text, "\"5f70bf18a086007016e948b04aed3b82\"");
	check_path(text);
	free(raw);
	return 0;
}
