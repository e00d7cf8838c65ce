#include <fcntl.h>
#include <limits.h>
#include <sys/utsname.h>

#include "sandbox/doctor/doctor.h"

/* First line of a small file of /proc or /sys; empty when it cannot be read. */
static void read_line(const char *path, char *line, size_t size)
{
	own_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, line, size - 1);

	line[got > 0 ? got : 0] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

/* A number that must be at least `low` and at most `high`. A file that does not exist means
 * that this kernel does not have the restriction. */
static void ask_number(struct finding *finding, const char *path, long low, long high)
{
	char line[64];
	long value;

	read_line(path, line, sizeof(line));
	if (line[0] == '\0') {
		answer(finding, ANSWER_USABLE, "not there, so not restricted");
		return;
	}
	value = strtol(line, NULL, 10);
	answer(finding, value >= low && value <= high ? ANSWER_USABLE : ANSWER_LIMITED, "%s",
	       line);
}

static void ask_max_user(struct finding *finding)
{
	ask_number(finding, "/proc/sys/user/max_user_namespaces", 64, LONG_MAX);
}

static void ask_max_mnt(struct finding *finding)
{
	ask_number(finding, "/proc/sys/user/max_mnt_namespaces", 64, LONG_MAX);
}

static void ask_max_net(struct finding *finding)
{
	ask_number(finding, "/proc/sys/user/max_net_namespaces", 64, LONG_MAX);
}

/* The two switches bind ordinary users only. */
static void ask_userns_clone(struct finding *finding)
{
	ask_number(finding, "/proc/sys/kernel/unprivileged_userns_clone",
		   geteuid() == 0 ? 0 : 1, 1);
}

static void ask_apparmor(struct finding *finding)
{
	ask_number(finding, "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 0,
		   geteuid() == 0 ? LONG_MAX : 0);
}

static void ask_huge_pages(struct finding *finding)
{
	char line[128];

	read_line("/sys/kernel/mm/transparent_hugepage/enabled", line, sizeof(line));
	if (line[0] == '\0')
		answer(finding, ANSWER_MISSING, "not in this kernel");
	else
		answer(finding,
		       strstr(line, "[never]") == NULL ? ANSWER_USABLE : ANSWER_MISSING, "%s",
		       line);
}

static void ask_kernel(struct finding *finding)
{
	struct utsname names;

	if (uname(&names) == 0)
		answer(finding, ANSWER_USABLE, "%s %s %s", names.sysname, names.release,
		       names.machine);
}

const struct question questions_settings[] = {
	{"kernel", OPTIONAL, ask_kernel, "", 0},
	{"max_user_namespaces", OPTIONAL, ask_max_user,
	 "sysctl -w user.max_user_namespaces=10000", 0},
	{"max_mnt_namespaces", OPTIONAL, ask_max_mnt, "sysctl -w user.max_mnt_namespaces=10000",
	 0},
	{"max_net_namespaces", OPTIONAL, ask_max_net, "sysctl -w user.max_net_namespaces=10000",
	 0},
	{"unprivileged_userns_clone", OPTIONAL, ask_userns_clone,
	 "sysctl -w kernel.unprivileged_userns_clone=1", 0},
	{"apparmor_restrict_unprivileged_userns", OPTIONAL, ask_apparmor,
	 "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or an AppArmor profile "
	 "that allows userns",
	 0},
	{"transparent_huge_pages", OPTIONAL, ask_huge_pages,
	 "set /sys/kernel/mm/transparent_hugepage/enabled to madvise: forking a warm "
	 "interpreter is then twice as fast",
	 0},
};
const size_t questions_settings_count = ARRAY_COUNT(questions_settings);
