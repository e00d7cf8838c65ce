#include "sandbox/layers/root_tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int add(struct root_tree *tree, const char *path, struct root_entry **ret,
	       struct err *err)
{
	struct root_entry *entry;

	if (tree->count == ROOT_TREE_MAX)
		return err_set(err, E2BIG, "more than %d root paths", ROOT_TREE_MAX);
	if (strlen(path) >= ROOT_PATH_MAX)
		return err_set(err, ENAMETOOLONG, "root path '%s'", path);
	entry = &tree->entries[tree->count++];
	*entry = (struct root_entry){.mount_fd = -1};
	memcpy(entry->path, path, strlen(path) + 1);
	*ret = entry;
	return 0;
}

int root_tree_bind(struct root_tree *tree, const char *path, uint64_t attributes,
		   struct err *err)
{
	struct mount_attr attr = {.attr_set = attributes};
	struct root_entry *entry;
	struct stat info;
	int status = add(tree, path, &entry, err);

	if (status < 0)
		return status;
	/* Recursive, because the kernel refuses to show what a mount of the host lies over. */
	entry->mount_fd =
		open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (entry->mount_fd < 0)
		return err_errno(err, errno, "copy the mounts at %s", path);
	if (fstat(entry->mount_fd, &info) != 0)
		return err_errno(err, errno, "stat %s", path);
	entry->is_folder = S_ISDIR(info.st_mode);
	if (attributes != 0 && mount_setattr(entry->mount_fd, "", AT_EMPTY_PATH | AT_RECURSIVE,
					     &attr, sizeof(attr)) != 0)
		return err_errno(err, errno, "make %s read-only", path);
	return 0;
}

int root_tree_link(struct root_tree *tree, const char *path, struct err *err)
{
	struct root_entry *entry;
	int status = add(tree, path, &entry, err);

	if (status < 0)
		return status;
	if (readlink(path, entry->target, sizeof(entry->target) - 1) <= 0)
		return err_errno(err, errno, "read the link %s", path);
	return 0;
}

int root_tree_has(const struct root_tree *tree, const char *path)
{
	for (size_t i = 0; i < tree->count; i++)
		if (strcmp(tree->entries[i].path, path) == 0)
			return 1;
	return 0;
}

static int make_parents(char *path, struct err *err)
{
	for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		int failed;

		*slash = '\0';
		failed = mkdir(path, 0755) != 0 && errno != EEXIST ? errno : 0;
		if (failed != 0)
			return err_errno(err, failed, "make /%s in the new root", path);
		*slash = '/';
	}
	return 0;
}

/* An empty file or folder to mount on. One that is there already came from a bind of a parent
 * folder, which is read-only and holds the right thing. */
static int make_point(const char *path, int is_folder, struct err *err)
{
	if (is_folder) {
		if (mkdir(path, 0755) != 0 && errno != EEXIST)
			return err_errno(err, errno, "make /%s in the new root", path);
		return 0;
	}
	if (mknod(path, S_IFREG | 0444, 0) != 0 && errno != EEXIST)
		return err_errno(err, errno, "make /%s in the new root", path);
	return 0;
}

static int place(const struct root_entry *entry, struct err *err)
{
	char path[ROOT_PATH_MAX];
	int status;

	memcpy(path, entry->path + 1, ROOT_PATH_MAX - 1);
	status = make_parents(path, err);
	if (status < 0)
		return status;
	if (entry->mount_fd < 0) {
		if (symlink(entry->target, path) != 0)
			return err_errno(err, errno, "link %s in the new root", entry->path);
		return 0;
	}
	status = make_point(path, entry->is_folder, err);
	if (status < 0)
		return status;
	if (move_mount(entry->mount_fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		return err_errno(err, errno, "mount %s in the new root", entry->path);
	return 0;
}

int root_tree_place(const struct root_tree *tree, struct err *err)
{
	int status = 0;

	for (size_t i = 0; i < tree->count && status == 0; i++)
		status = place(&tree->entries[i], err);
	return status;
}

void root_tree_done(struct root_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		fd_drop(&tree->entries[i].mount_fd);
	tree->count = 0;
}
