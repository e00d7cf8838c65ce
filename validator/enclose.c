#include "validator/enclose.h"

#include <sys/syscall.h>

#include "base/confine.h"

static const struct confine_syscall allowed[] = {
#define ALLOW CONFINE_ALLOW
#include "base/common.seccomp.def"
#include "validator/validator.seccomp.def"
#undef ALLOW
};

int enclose(unsigned abi_min, unsigned *ret_abi, struct err *err)
{
	int status = confine_privileges(err);

	if (status == 0)
		status = confine_landlock(abi_min, NULL, 0, ret_abi, err);
	if (status == 0)
		status = confine_seccomp(allowed, ARRAY_COUNT(allowed), err);
	return status == 0 ? confine_prove(0, err) : status;
}
