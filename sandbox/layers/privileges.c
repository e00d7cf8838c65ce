#include "sandbox/layers/privileges.h"

#include <linux/securebits.h>
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

int privileges_become_cell_uid(struct err *err)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	/* Group first: with the user goes the right to change it. Raw calls: glibc's wrappers
	 * signal every thread, and the caller may be a clone(2) glibc does not know of. */
	if (syscall(SYS_setresgid, CELL_UID, CELL_UID, CELL_UID) != 0)
		return err_errno(err, errno, "become group %u", CELL_UID);
	if (syscall(SYS_setresuid, CELL_UID, CELL_UID, CELL_UID) != 0)
		return err_errno(err, errno, "become user %u", CELL_UID);
	if (getresuid(&ruid, &euid, &suid) != 0 || getresgid(&rgid, &egid, &sgid) != 0)
		return err_errno(err, errno, "read the user back");
	if (ruid != CELL_UID || euid != CELL_UID || suid != CELL_UID || rgid != CELL_UID ||
	    egid != CELL_UID || sgid != CELL_UID || setfsuid((uid_t)-1) != CELL_UID ||
	    setfsgid((gid_t)-1) != CELL_UID)
		return err_set(err, EPERM, "user %u did not stick", CELL_UID);
	return 0;
}

static int drop_capabilities(struct err *err)
{
	int status;

	if (prctl(PR_SET_SECUREBITS, SECUREBITS, 0, 0, 0) != 0 ||
	    prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != SECUREBITS)
		return err_errno(err, errno, "lock the secure bits");
	status = confine_bounding_set(true, err);
	return status < 0 ? status : confine_capabilities(err);
}

int privileges_drop(uint32_t layers_disabled, struct err *err)
{
	int status = 0;

	if ((layers_disabled & LAYER_NO_CAPABILITIES) == 0)
		status = drop_capabilities(err);
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
