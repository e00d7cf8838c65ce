#include "sandbox/layers/privileges.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/confine.h"
#include "sandbox/layers/userns.h"
#include "schema/status.h"

/* uid 0 gets nothing by being 0, no ambient set, no capability kept over a uid change; locked.
 */
#define SECUREBITS                                                       \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |       \
	 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

int privileges_become(uint32_t uid, struct err *err)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	/* Group first: with the user goes the right to change it. Raw calls: glibc's wrappers
	 * signal every thread, and the caller may be a clone(2) glibc does not know of. */
	if (syscall(SYS_setresgid, uid, uid, uid) != 0)
		return err_errno(err, errno, "become group %u", uid);
	if (syscall(SYS_setresuid, uid, uid, uid) != 0)
		return err_errno(err, errno, "become user %u", uid);
	if (getresuid(&ruid, &euid, &suid) != 0 || getresgid(&rgid, &egid, &sgid) != 0)
		return err_errno(err, errno, "read the user back");
	if (ruid != uid || euid != uid || suid != uid || rgid != uid || egid != uid ||
	    sgid != uid || setfsuid((uid_t)-1) != (int)uid || setfsgid((gid_t)-1) != (int)uid)
		return err_set(err, EPERM, "user %u did not stick", uid);
	return 0;
}

int privileges_become_cell_uid(struct err *err)
{
	return privileges_become(CELL_UID, err);
}

static int lock_secure_bits(struct err *err)
{
	if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) != 0 ||
	    prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != SECUREBITS)
		return err_errno(err, errno, "lock the secure bits");
	return confine_bounding_set(true, err);
}

static int expect_no_capabilities(struct err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct now[2] = {{0}};

	if (syscall(SYS_capget, &header, now) != 0)
		return err_errno(err, errno, "read my capabilities");
	for (size_t i = 0; i < ARRAY_COUNT(now); i++)
		if ((now[i].effective | now[i].permitted | now[i].inheritable) != 0)
			return err_set(err, EPERM, "there are capabilities already");
	return 0;
}

static int drop(uint32_t layers_disabled, bool has_rights, struct err *err)
{
	int status = 0;

	if ((layers_disabled & LAYER_NO_CAPABILITIES) == 0) {
		status = has_rights ? lock_secure_bits(err) : expect_no_capabilities(err);
		if (status == 0)
			status = confine_capabilities(err);
	}
	if (status < 0)
		return status;
	if ((layers_disabled & LAYER_NO_NEW_PRIVILEGES) == 0 &&
	    (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	     prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1))
		return err_errno(err, errno, "set no_new_privs");
	/* Last: changes of credentials reset it. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_errno(err, errno, "clear dumpable");
	return 0;
}

int privileges_drop(uint32_t layers_disabled, struct err *err)
{
	return drop(layers_disabled, true, err);
}

int privileges_drop_without_rights(uint32_t layers_disabled, struct err *err)
{
	return drop(layers_disabled, false, err);
}
