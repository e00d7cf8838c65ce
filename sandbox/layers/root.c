#include "sandbox/layers/root.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include "sandbox/layers/root_tree.h"
#include "schema/status.h"

/* The root's own tmpfs holds some fifty empty files, folders and links, and a few lines. */
#define ROOT_OPTIONS "mode=0755,size=256k,nr_inodes=1024"

/* Where the new root is put together. Any folder does, because every source is open before;
 * this one exists wherever a user namespace can be made. */
#define BUILD_AT "/proc"

#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/* Links and folders of a system whose /usr is merged, and of one whose is not. */
static const char *const system_names[] = {"bin", "lib", "lib32", "lib64", "libx32", "sbin"};

static const struct {
	const char *path;
	unsigned major_number, minor_number;
} devices[] = {
	{"/dev/null", 1, 3},
	{"/dev/zero", 1, 5},
	{"/dev/random", 1, 8},
	{"/dev/urandom", 1, 9},
};

/* Programs ask for names; the host's real lists are nobody's business here. */
static const struct {
	const char *path, *text;
} etc_files[] = {
	{"etc/passwd", "root:x:0:0:root:/:/bin/sh\n"
		       "job:x:1000:1000:job:/workspace:/bin/sh\n"
		       "nobody:x:65534:65534:nobody:/:/bin/false\n"},
	{"etc/group", "root:x:0:\njob:x:1000:\nnogroup:x:65534:\n"},
	{"etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"},
	{"etc/hosts", "127.0.0.1 localhost casemate\n::1 localhost\n"},
};

static int add_path(struct root_tree *tree, const char *path, struct err *err)
{
	if (path[0] != '/' || strstr(path, "/../") != NULL)
		return err_set(err, EINVAL, "root path '%s' is not an absolute path", path);
	/* Files below /etc only help (linker cache, alternatives, certificates); hosts differ.
	 */
	if (strncmp(path, "/etc/", 5) == 0 && access(path, F_OK) != 0)
		return 0;
	return root_tree_bind(tree, path, READ_ONLY, err);
}

static int add_paths(struct root_tree *tree, const char *paths, struct err *err)
{
	char path[ROOT_PATH_MAX];

	while (*paths != '\0') {
		size_t length = strcspn(paths, ",");
		int status;

		if (length == 0 || length >= sizeof(path))
			return err_set(err, EINVAL, "root path of %zu bytes", length);
		memcpy(path, paths, length);
		path[length] = '\0';
		status = add_path(tree, path, err);
		if (status < 0)
			return status;
		paths += length + (paths[length] == ',');
	}
	return 0;
}

static int add_system_names(struct root_tree *tree, struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(system_names); i++) {
		char path[16];
		struct stat info;
		int status;

		(void)snprintf(path, sizeof(path), "/%s", system_names[i]);
		if (lstat(path, &info) != 0 || root_tree_has(tree, path))
			continue;
		status = S_ISLNK(info.st_mode) ? root_tree_link(tree, path, err)
					       : root_tree_bind(tree, path, READ_ONLY, err);
		if (status < 0)
			return status;
	}
	return 0;
}

static int add_devices(struct root_tree *tree, struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(devices); i++) {
		struct stat info;
		int status;

		if (stat(devices[i].path, &info) != 0)
			return err_errno(err, errno, "stat %s", devices[i].path);
		if (!S_ISCHR(info.st_mode) ||
		    info.st_rdev != makedev(devices[i].major_number, devices[i].minor_number))
			return err_set(err, ENODEV, "%s of the host is not that device",
				       devices[i].path);
		/* Read-only stops a change of times and modes that another job could see; the
		 * device itself stays writable, because its flag says nothing about devices. */
		status = root_tree_bind(
			tree, devices[i].path,
			MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, err);
		if (status < 0)
			return status;
	}
	return 0;
}

/* Test builds with the layer off: all of the host's root, as the host has it. */
static int add_host(struct root_tree *tree, struct err *err)
{
	DIR *folder = opendir("/");
	const struct dirent *entry;
	int status = folder == NULL ? err_errno(err, errno, "list /") : 0;

	while (status == 0 && (entry = readdir(folder)) != NULL) {
		char path[ROOT_PATH_MAX];
		struct stat info;

		(void)snprintf(path, sizeof(path), "/%s", entry->d_name);
		if (strcmp(path, "/.") == 0 || strcmp(path, "/..") == 0 ||
		    strcmp(path, ROOT_TMP) == 0 || strcmp(path, ROOT_WORKSPACE) == 0 ||
		    lstat(path, &info) != 0)
			continue;
		status = S_ISLNK(info.st_mode) ? root_tree_link(tree, path, err)
					       : root_tree_bind(tree, path, 0, err);
	}
	if (folder != NULL)
		(void)closedir(folder);
	return status;
}

static int write_etc(struct err *err)
{
	for (size_t i = 0; i < ARRAY_COUNT(etc_files); i++) {
		ssize_t length = (ssize_t)strlen(etc_files[i].text);
		own_fd fd =
			open(etc_files[i].path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

		if (fd < 0 && errno == EEXIST)
			continue; /* the operator listed the host's own */
		if (fd < 0 || write(fd, etc_files[i].text, (size_t)length) != length)
			return err_errno(err, errno, "write %s", etc_files[i].path);
	}
	return 0;
}

/* The working folder is the new root, still writable. */
static int fill(const struct root_tree *tree, int is_minimal, struct err *err)
{
	int status = root_tree_place(tree, err);

	if (status < 0)
		return status;
	if (mkdir(&ROOT_WORKSPACE[1], 0755) != 0 || mkdir(&ROOT_TMP[1], 0755) != 0)
		return err_errno(err, errno, "make " ROOT_WORKSPACE " and " ROOT_TMP);
	if (!is_minimal)
		return 0;
	/* POSIX semaphores and shared memory, which multiprocessing needs: private, and bounded
	 * by the workspace's size. */
	if (symlink(ROOT_TMP, "dev/shm") != 0)
		return err_errno(err, errno, "make /dev/shm");
	if (mkdir("etc", 0755) != 0 && errno != EEXIST)
		return err_errno(err, errno, "make /etc");
	return write_etc(err);
}

static int pivot(struct err *err)
{
	struct mount_attr sealed = {.attr_set = READ_ONLY | MOUNT_ATTR_NOEXEC};

	/* Old root on top of the new one, then away with it: no folder for it is needed. */
	if (syscall(SYS_pivot_root, ".", ".") != 0)
		return err_errno(err, errno, "pivot_root (not possible on an initramfs)");
	if (umount2(".", MNT_DETACH) != 0)
		return err_errno(err, errno, "detach the host's root");
	if (chdir("/") != 0)
		return err_errno(err, errno, "enter the new root");
	if (mount_setattr(AT_FDCWD, "/", 0, &sealed, sizeof(sealed)) != 0)
		return err_errno(err, errno, "make the new root read-only");
	return 0;
}

static int collect(struct root_tree *tree, const char *paths, int is_minimal, struct err *err)
{
	int status;

	if (!is_minimal)
		return add_host(tree, err);
	status = add_paths(tree, paths, err);
	if (status == 0)
		status = add_system_names(tree, err);
	if (status == 0)
		status = add_devices(tree, err);
	return status;
}

static int build(struct root_tree *tree, const char *paths, int is_minimal, struct err *err)
{
	int status = collect(tree, paths, is_minimal, err);

	if (status < 0)
		return status;
	if (mount("tmpfs", BUILD_AT, "tmpfs", MS_NOSUID | MS_NODEV, ROOT_OPTIONS) != 0)
		return err_errno(err, errno, "mount the new root");
	if (chdir(BUILD_AT) != 0)
		return err_errno(err, errno, "enter the new root");
	status = fill(tree, is_minimal, err);
	return status < 0 ? status : pivot(err);
}

int root_enter(const char *paths, uint32_t layers_disabled, struct err *err)
{
	struct root_tree tree = {.count = 0};
	int is_minimal = (layers_disabled & LAYER_MINIMAL_ROOT) == 0;
	mode_t old_mask;
	int status;

	if (unshare(CLONE_NEWNS) != 0)
		return err_errno(err, errno,
				 "make a mount namespace (user.max_mnt_namespaces)");
	/* Or the host's later mounts would appear in here. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return err_errno(err, errno, "make all mounts private");
	old_mask = umask(0);
	status = build(&tree, paths, is_minimal, err);
	(void)umask(old_mask);
	root_tree_done(&tree);
	if (status == 0 && is_minimal)
		status = root_check(err);
	return status;
}

static int check_read_only(const char *path, struct err *err)
{
	const unsigned long wanted = ST_RDONLY | ST_NOSUID | ST_NODEV;
	struct statvfs info;

	if (statvfs(path, &info) != 0)
		return err_errno(err, errno, "statvfs %s", path);
	if ((info.f_flag & wanted) != wanted)
		return err_set(err, EPERM, "%s is not mounted ro,nosuid,nodev", path);
	return 0;
}

int root_check(struct err *err)
{
	static const char *const absent[] = {"/proc", "/sys", "/run", "/root", "/home"};
	struct stat root, above;
	int status = check_read_only("/", err);

	if (status == 0)
		status = check_read_only("/usr", err);
	if (status == 0)
		status = check_read_only("/etc", err);
	if (status < 0)
		return status;
	for (size_t i = 0; i < ARRAY_COUNT(absent); i++)
		if (access(absent[i], F_OK) == 0 || errno != ENOENT)
			return err_set(err, EPERM, "the root has a %s", absent[i]);
	if (stat("/", &root) != 0 || stat("/..", &above) != 0)
		return err_errno(err, errno, "stat /");
	if (root.st_ino != above.st_ino || root.st_dev != above.st_dev)
		return err_set(err, EPERM, "the root can be left by /..");
	return 0;
}
