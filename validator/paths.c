#include "validator/paths.h"

#include <stdbool.h>
#include <string.h>

#include "schema/limits.h"

#define SEGMENT_BYTES_MAX 255 /* NAME_MAX of every Linux file system */

static const char *segment_fault(const char *segment, size_t length)
{
	if (length == 0)
		return "has an empty segment: no \"//\", no \"/\" at its end";
	if (length == 1 && segment[0] == '.')
		return "has a \".\" segment: leave it out";
	if (length == 2 && memcmp(segment, "..", 2) == 0)
		return "has a \"..\" segment: files stay in the workspace";
	if (length > SEGMENT_BYTES_MAX)
		return "has a segment of more than 255 bytes";
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)segment[i] < 0x20 || segment[i] == 0x7F)
			return "has a control character";
	return NULL;
}

const char *path_fault(const char *path, size_t length)
{
	size_t start = 0;

	if (length == 0)
		return "is empty";
	if (length > LIMIT_PATH_BYTES)
		return "has more than 1024 bytes";
	if (path[0] == '/')
		return "is absolute: paths are relative to the workspace";
	while (start <= length) {
		const char *slash = memchr(path + start, '/', length - start);
		size_t end = slash != NULL ? (size_t)(slash - path) : length;
		const char *fault = segment_fault(path + start, end - start);

		if (fault != NULL)
			return fault;
		start = end + 1;
	}
	return NULL;
}

/* '/' sorts before everything a path may hold, so what lies in a folder follows it at once. */
static unsigned char fold(char c)
{
	if (c == '/')
		return 1;
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static int compare(const void *left, const void *right)
{
	const struct path *a = left;
	const struct path *b = right;
	size_t length = a->length < b->length ? a->length : b->length;

	for (size_t i = 0; i < length; i++)
		if (fold(a->text[i]) != fold(b->text[i]))
			return fold(a->text[i]) < fold(b->text[i]) ? -1 : 1;
	if (a->length != b->length)
		return a->length < b->length ? -1 : 1;
	return 0;
}

static bool is_below(const struct path *folder, const struct path *path)
{
	struct path head = {.text = path->text, .length = folder->length};

	return path->length > folder->length && path->text[folder->length] == '/' &&
	       compare(folder, &head) == 0;
}

/* Bytes of the folders that two paths share but for case. */
static size_t shared_folders(const struct path *a, const struct path *b)
{
	size_t length = a->length < b->length ? a->length : b->length;
	size_t shared = 0;

	for (size_t i = 0; i < length && fold(a->text[i]) == fold(b->text[i]); i++)
		if (a->text[i] == '/')
			shared = i + 1;
	return shared;
}

/* Of neighbours in the order of compare(): those below one folder, in whatever case, lie
 * together. */
static enum path_clash clash_of(const struct path *a, const struct path *b)
{
	if (is_below(a, b))
		return PATH_CLASH_FOLDER;
	if (memcmp(a->text, b->text, shared_folders(a, b)) != 0)
		return PATH_CLASH_FOLDER_CASE;
	if (compare(a, b) != 0)
		return PATH_CLASH_NONE;
	return memcmp(a->text, b->text, a->length) == 0 ? PATH_CLASH_SAME : PATH_CLASH_CASE;
}

enum path_clash path_find_clash(struct path *paths, size_t count, size_t *ret_index,
				size_t *ret_other)
{
	if (count > 1)
		qsort(paths, count, sizeof(*paths), compare);
	for (size_t i = 1; i < count; i++) {
		enum path_clash clash = clash_of(&paths[i - 1], &paths[i]);
		size_t a = paths[i - 1].index;
		size_t b = paths[i].index;

		if (clash == PATH_CLASH_NONE)
			continue;
		*ret_index = a > b ? a : b;
		*ret_other = a > b ? b : a;
		return clash;
	}
	return PATH_CLASH_NONE;
}

/* Those that are left are neighbours without a clash, so none of them has one. */
size_t path_drop_clashes(struct path *paths, size_t count)
{
	size_t left = 0;

	if (count > 1)
		qsort(paths, count, sizeof(*paths), compare);
	for (size_t i = 0; i < count; i++) {
		while (left > 0 && paths[i].index < paths[left - 1].index &&
		       clash_of(&paths[left - 1], &paths[i]) != PATH_CLASH_NONE)
			left--;
		if (left == 0 || clash_of(&paths[left - 1], &paths[i]) == PATH_CLASH_NONE)
			paths[left++] = paths[i];
	}
	return left;
}
