#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "sandbox/layers/netns.h"
#include "tests/unit/layers/child.h"

TestSuite(netns, .timeout = 20);

static int make_two(const void *data)
{
	struct err err = {0};
	int first = -1, second = -1;

	(void)data;
	if (child_enter_userns() < 0)
		return 1;
	if (netns_new(&first, &err) < 0 || netns_new(&second, &err) < 0)
		return child_fail(2, &err);
	/* The maker left the host's network, and comes and goes between them. */
	if (netns_check(&err) < 0)
		return child_fail(3, &err);
	if (setns(first, CLONE_NEWNET) != 0 || netns_check(&err) < 0)
		return child_fail(4, &err);
	if (setns(second, CLONE_NEWNET) != 0 || netns_check(&err) < 0)
		return child_fail(5, &err);
	return 0;
}

Test(netns, new_ones_are_empty_and_can_be_joined)
{
	cr_assert(eq(int, child_run(make_two, NULL), 0));
}

static int raise_loopback(const void *data)
{
	struct err err = {0};
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = -1;

	(void)data;
	if (child_enter_userns() < 0 || netns_new(&fd, &err) < 0 ||
	    setns(fd, CLONE_NEWNET) != 0)
		return 1;
	if (ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCSIFFLAGS, &request) != 0)
		return 2;
	return netns_check(&err) == -EPERM ? 0 : 3;
}

Test(netns, the_check_notices_an_interface_that_is_up)
{
	cr_assert(eq(int, child_run(raise_loopback, NULL), 0));
}

static int without_rights(const void *data)
{
	struct err err = {0};
	int fd = -1;

	(void)data;
	if (child_is_root() && setresuid(65534, 65534, 65534) != 0)
		return 1;
	return netns_new(&fd, &err) < 0 && fd == -1 ? 0 : 2;
}

Test(netns, without_a_user_namespace_it_fails)
{
	cr_assert(eq(int, child_run(without_rights, NULL), 0));
}
