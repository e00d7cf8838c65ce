#include "sandbox/warden/collect.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/utf8.h"
#include "base/wire.h"
#include "schema/bundle.h"
#include "schema/limits.h"

#define NAMES_MAX   (2 * LIMIT_WORKSPACE_INODES) /* the tmpfs has fewer; a second lock */
#define CHUNK_BYTES 65536
/* Each folder is opened by its path, which costs by its depth: with 500 levels, and a thousand
 * folders on the last, the walk took seconds of everybody's time. Programs use ten. */
#define DEPTH_MAX 64

struct walk {
	int root; /* borrowed */
	char *folders[NAMES_MAX];
	char *files[NAMES_MAX];
	size_t folder_count;
	size_t file_count;
	bool is_truncated;
};

static void walk_free(struct walk **slot)
{
	struct walk *walk = *slot;

	if (walk == NULL)
		return;
	for (size_t i = 0; i < walk->folder_count; i++)
		free(walk->folders[i]);
	for (size_t i = 0; i < walk->file_count; i++)
		free(walk->files[i]);
	free(walk);
}

static int open_below(int root, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC | O_NOFOLLOW,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
			   RESOLVE_NO_XDEV,
	};

	return (int)syscall(SYS_openat2, root, path[0] != '\0' ? path : ".", &how, sizeof(how));
}

static bool is_too_deep(const char *folder)
{
	unsigned depth = folder[0] != '\0';

	for (const char *at = folder; *at != '\0'; at++)
		depth += *at == '/';
	return depth >= DEPTH_MAX;
}

static void walk_add(struct walk *walk, const char *folder, const struct dirent *entry)
{
	bool is_folder = entry->d_type == DT_DIR;
	size_t *count = is_folder ? &walk->folder_count : &walk->file_count;
	char path[LIMIT_PATH_BYTES + 1];
	int length;

	if (entry->d_type != DT_DIR && entry->d_type != DT_REG)
		return;
	length = snprintf(path, sizeof(path), "%s%s%s", folder, folder[0] != '\0' ? "/" : "",
			  entry->d_name);
	if (length < 0 || (size_t)length >= sizeof(path) || *count == NAMES_MAX ||
	    (is_folder && is_too_deep(folder)) || !utf8_is_valid(path, (size_t)length)) {
		walk->is_truncated = true;
		return;
	}
	(is_folder ? walk->folders : walk->files)[*count] = strdup(path);
	if ((is_folder ? walk->folders : walk->files)[*count] == NULL)
		walk->is_truncated = true;
	else
		(*count)++;
}

static void walk_folder(struct walk *walk, const char *folder)
{
	int fd = open_below(walk->root, folder, O_RDONLY | O_DIRECTORY);
	DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (listing == NULL) {
		fd_drop(&fd);
		walk->is_truncated = true;
		return;
	}
	while ((entry = readdir(listing)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			walk_add(walk, folder, entry);
	(void)closedir(listing);
}

static int by_bytes(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* The input file at `path`, if the job got one. */
static bool find_input(const struct span *payload, const char *path, struct bundle_entry *ret)
{
	struct bundle_reader reader;
	struct bundle_entry entry;
	size_t length = strlen(path);

	bundle_reader_init(&reader, payload);
	while (bundle_next(&reader, &entry, NULL) > 0) {
		if (entry.kind != BUNDLE_FILE || entry.name_length != length ||
		    memcmp(entry.name, path, length) != 0)
			continue;
		*ret = entry;
		return true;
	}
	return false;
}

static bool is_same(int fd, const struct bundle_entry *input)
{
	char chunk[4096];
	size_t at = 0;

	while (at < input->length) {
		size_t want =
			input->length - at < sizeof(chunk) ? input->length - at : sizeof(chunk);
		ssize_t got = pread(fd, chunk, want, (off_t)at);

		if (got <= 0 || memcmp(chunk, input->data + at, (size_t)got) != 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

static int add_content(int fd, uint64_t size, struct buf *outcome, struct err *err)
{
	char chunk[CHUNK_BYTES];
	uint64_t at = 0;

	while (at < size) {
		ssize_t got = pread(fd, chunk, sizeof(chunk), (off_t)at);

		if (got <= 0)
			return err_errno(err, got < 0 ? errno : EIO, "read a result file");
		if ((uint64_t)got > size - at)
			got = (ssize_t)(size - at);
		buf_add(outcome, chunk, (size_t)got);
		at += (uint64_t)got;
	}
	return 0;
}

/* 1: added; 0: unchanged input; negative: failed. */
static int add_file(struct walk *walk, const char *path, const struct span *payload,
		    uint64_t *budget, struct buf *outcome, struct err *err)
{
	/* Non-blocking in case the directory lied and it is a FIFO. */
	own_fd fd = open_below(walk->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	struct bundle_entry input;
	uint8_t header[BUNDLE_FILE_HEADER_BYTES];
	bool has_content;
	struct stat info;
	struct wr wr;

	if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		walk->is_truncated = true;
		return 0;
	}
	if (find_input(payload, path, &input) && input.length == (uint64_t)info.st_size &&
	    is_same(fd, &input))
		return 0;
	has_content = (uint64_t)info.st_size <= *budget;
	wr_init(&wr, header, sizeof(header));
	wr_uint(&wr, (uint64_t)info.st_size, 8);
	wr_uint(&wr, has_content, 1);
	bundle_add_header(outcome, BUNDLE_RESULT_FILE, strlen(path),
			  sizeof(header) + (has_content ? (size_t)info.st_size : 0));
	buf_add(outcome, path, strlen(path));
	buf_add(outcome, header, sizeof(header));
	if (!has_content)
		return 1;
	*budget -= (uint64_t)info.st_size;
	if (add_content(fd, (uint64_t)info.st_size, outcome, err) < 0)
		return -EIO;
	return 1;
}

bool collect_is_empty(int workspace_fd)
{
	char names[4096];
	long got;

	if (lseek(workspace_fd, 0, SEEK_SET) != 0)
		return false;
	got = syscall(SYS_getdents64, workspace_fd, names, sizeof(names));
	/* "." and "..": two records of 24 bytes. */
	return got >= 0 && got <= 48;
}

int collect_files(int workspace_fd, const struct span *payload, uint64_t budget_bytes,
		  struct buf *outcome, bool *ret_is_truncated, struct err *err)
{
	__attribute__((cleanup(walk_free))) struct walk *walk = NULL;
	unsigned added = 0;

	if (collect_is_empty(workspace_fd)) {
		*ret_is_truncated = false;
		return 0;
	}
	walk = calloc(1, sizeof(*walk));
	if (walk == NULL)
		return err_errno(err, ENOMEM, "the list of result files");
	walk->root = workspace_fd;
	walk_folder(walk, "");
	for (size_t i = 0; i < walk->folder_count; i++)
		walk_folder(walk, walk->folders[i]);
	qsort(walk->files, walk->file_count, sizeof(walk->files[0]), by_bytes);
	for (size_t i = 0; i < walk->file_count; i++) {
		int status;

		if (added == LIMIT_FILES) {
			walk->is_truncated = true;
			break;
		}
		status = add_file(walk, walk->files[i], payload, &budget_bytes, outcome, err);
		if (status < 0)
			return status;
		added += (unsigned)status;
	}
	*ret_is_truncated = walk->is_truncated;
	return 0;
}
