#include "sandbox/layers/workspace.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "sandbox/layers/root.h"

#define FILES ROOT_WORKSPACE "/files"
#define TMP   ROOT_WORKSPACE "/tmp"

int workspace_open(int *ret_folder_fd, struct err *err)
{
	int folder = open(ROOT_WORKSPACE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (folder < 0)
		return err_errno(err, errno, "open " ROOT_WORKSPACE);
	*ret_folder_fd = folder;
	return 0;
}

int workspace_mount(uint32_t uid, uint64_t bytes, uint64_t inodes, int *ret_folder_fd,
		    struct err *err)
{
	char options[128];

	(void)snprintf(options, sizeof(options),
		       "mode=0700,uid=%u,gid=%u,size=%" PRIu64 ",nr_inodes=%" PRIu64, uid, uid,
		       bytes, inodes);
	if (mount("tmpfs", ROOT_WORKSPACE, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0)
		return err_errno(err, errno, "mount tmpfs on " ROOT_WORKSPACE);
	if (mkdir(FILES, 0700) != 0 || mkdir(TMP, 0700) != 0)
		return err_errno(err, errno, "make the folders of the workspace");
	if (mount(TMP, ROOT_TMP, NULL, MS_BIND, NULL) != 0)
		return err_errno(err, errno, "mount " ROOT_TMP);
	/* Over the tmpfs's own root, which nothing can name any more. */
	if (mount(FILES, ROOT_WORKSPACE, NULL, MS_BIND, NULL) != 0)
		return err_errno(err, errno, "mount " ROOT_WORKSPACE);
	return workspace_open(ret_folder_fd, err);
}

int workspace_mount_shared(uint64_t bytes, uint64_t inodes, struct err *err)
{
	own_fd folder = -1;
	int status = workspace_mount(0, bytes, inodes, &folder, err);

	if (status == 0 && (chmod(ROOT_WORKSPACE, 0777) != 0 || chmod(ROOT_TMP, 0777) != 0))
		status = err_errno(err, errno, "open the workspace to all");
	return status;
}

static int set_option(int config_fd, const char *key, uint64_t value, struct err *err)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	if (fsconfig(config_fd, FSCONFIG_SET_STRING, key, text, 0) != 0)
		return err_errno(err, errno, "workspace: %s=%s", key, text);
	return 0;
}

int workspace_resize(int folder_fd, uint64_t bytes, uint64_t inodes, struct err *err)
{
	own_fd config = fspick(folder_fd, "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC);
	int status;

	if (config < 0)
		return err_errno(err, errno, "fspick the workspace");
	status = set_option(config, "size", bytes, err);
	if (status == 0)
		status = set_option(config, "nr_inodes", inodes, err);
	if (status == 0 && fsconfig(config, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) != 0)
		status = err_errno(err, errno, "resize the workspace");
	return status;
}
