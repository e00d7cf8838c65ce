#include "sandbox/layers/coresched.h"

#include <sys/prctl.h>

int coresched_apply(bool *ret_holds, struct err *err)
{
	unsigned long cookie = 0;

	if (prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, PR_SCHED_CORE_SCOPE_THREAD_GROUP,
		  0) != 0) {
		/* No threads that share a core; no such option. */
		if (errno != ENODEV && errno != EINVAL)
			return err_errno(err, errno, "get a core-scheduling cookie");
		*ret_holds = false;
		return 0;
	}
	if (prctl(PR_SCHED_CORE, PR_SCHED_CORE_GET, 0, PR_SCHED_CORE_SCOPE_THREAD, &cookie) !=
	    0)
		return err_errno(err, errno, "read the core-scheduling cookie");
	if (cookie == 0)
		return err_set(err, EPERM, "the core-scheduling cookie did not stick");
	*ret_holds = true;
	return 0;
}
