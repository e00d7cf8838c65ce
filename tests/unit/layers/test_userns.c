#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "sandbox/layers/userns.h"
#include "tests/unit/layers/child.h"

TestSuite(userns, .timeout = 20);

static int enter(const void *data)
{
	struct err err = {0};

	(void)data;
	if (child_enter_userns() < 0)
		return 1;
	if (userns_check(TEST_UID_COUNT, &err) < 0 && userns_check(1, &err) < 0)
		return child_fail(2, &err);
	return getuid() == 0 && getgid() == 0 ? 0 : 3;
}

Test(userns, the_warden_becomes_zero_inside)
{
	cr_assert(eq(int, child_run(enter, NULL), 0));
}

static int touch_host(const void *data)
{
	struct stat info;

	(void)data;
	if (child_enter_userns() < 0)
		return 1;
	/* Zero inside owns nothing of the host's zero. */
	if (stat("/", &info) != 0 || info.st_uid == 0)
		return 2;
	if (open("/casemate-test", O_WRONLY | O_CREAT | O_EXCL, 0600) >= 0)
		return 3;
	if (sethostname("x", 1) == 0 || mount("tmpfs", "/mnt", "tmpfs", 0, NULL) == 0)
		return 4;
	return chroot("/") == 0 && setns(open("/proc/1/ns/mnt", O_RDONLY), 0) == 0 ? 5 : 0;
}

Test(userns, zero_inside_has_no_right_over_the_host)
{
	cr_assert(eq(int, child_run(touch_host, NULL), 0));
}

static int leave_range(const void *data)
{
	(void)data;
	if (child_enter_userns() < 0)
		return 1;
	return setresuid(TEST_UID_COUNT, TEST_UID_COUNT, TEST_UID_COUNT) == 0 ? 2 : 0;
}

Test(userns, a_uid_outside_the_range_cannot_be_taken)
{
	cr_assert(eq(int, child_run(leave_range, NULL), 0));
}

static int keep_groups(const void *data)
{
	const gid_t group = 0;

	(void)data;
	if (!child_is_root()) {
		if (child_enter_userns() < 0)
			return 1;
		return setgroups(0, NULL) == 0 ? 2 : 0;
	}
	if (setgroups(1, &group) != 0 || child_enter_userns() < 0)
		return 3;
	return getgroups(0, NULL) == 0 ? 0 : 4;
}

Test(userns, supplementary_groups_are_dropped_or_frozen)
{
	cr_assert(eq(int, child_run(keep_groups, NULL), 0));
}

static int refuse(const void *data)
{
	struct err err = {0};

	(void)data;
	if (userns_enter(0, child_is_root() ? 0 : 10, &err) == 0 || err.text[0] == '\0')
		return 1;
	/* Refused before anything happened. */
	return child_enter_userns() == 0 ? 0 : 2;
}

Test(userns, root_without_a_range_and_a_range_without_root_are_refused)
{
	cr_assert(eq(int, child_run(refuse, NULL), 0));
}

static int check_outside(const void *data)
{
	struct err err = {0};

	(void)data;
	return userns_check(TEST_UID_COUNT, &err) == -EPERM ? 0 : 1;
}

Test(userns, the_check_notices_that_nothing_was_entered)
{
	cr_assert(eq(int, child_run(check_outside, NULL), 0));
}
