#include "sandbox/layers/netns.h"

#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* A socket names the network namespace it was made in (SIOCGSKNS), so /proc is not needed.
 * The kernel answers only those who administer that namespace: not for the host's. */
static int own_namespace(void)
{
	own_fd any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return any < 0 ? -1 : ioctl(any, SIOCGSKNS);
}

int netns_new(int *ret_fd, struct err *err)
{
	own_fd home = own_namespace();
	own_fd fresh = -1;

	if (home < 0) {
		if (unshare(CLONE_NEWNET) != 0)
			return err_errno(err, errno, "leave the host's network namespace");
		home = own_namespace();
	}
	if (home < 0)
		return err_errno(err, errno, "name the own network namespace");
	if (unshare(CLONE_NEWNET) != 0)
		return err_errno(err, errno,
				 "make a network namespace (user.max_net_namespaces)");
	fresh = own_namespace();
	if (fresh < 0)
		return err_errno(err, errno, "name the new network namespace");
	if (setns(home, CLONE_NEWNET) != 0)
		return err_errno(err, errno, "return from the new network namespace");
	*ret_fd = fd_take(&fresh);
	return 0;
}

int netns_check(struct err *err)
{
	own_fd any = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct if_nameindex *list = if_nameindex();
	int status = 0;

	if (any < 0 || list == NULL)
		status = err_errno(err, errno, "list the network interfaces");
	for (size_t i = 0; status == 0 && list[i].if_index != 0; i++) {
		struct ifreq request = {0};

		(void)snprintf(request.ifr_name, IFNAMSIZ, "%s", list[i].if_name);
		if (ioctl(any, SIOCGIFFLAGS, &request) != 0)
			status = err_errno(err, errno, "read the flags of %s", list[i].if_name);
		else if ((request.ifr_flags & IFF_UP) != 0)
			status = err_set(err, EPERM, "network interface %s is up",
					 list[i].if_name);
	}
	if (list != NULL)
		if_freenameindex(list);
	return status;
}
