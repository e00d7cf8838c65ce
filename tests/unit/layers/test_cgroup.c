#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/memfd.h"
#include "sandbox/layers/cgroup.h"
#include "sandbox/layers/cgroup_file.h"

TestSuite(cgroup, .timeout = 10);

static const char version_1[] =
	"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
	"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 - cgroup cgroup rw,cpu,cpuacct\n"
	"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	"39 31 0:36 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
	"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

Test(cgroup, version_1_has_a_folder_each)
{
	struct cgroup_host host;

	cgroup_host_parse("8:pids:/\n4:memory:/a/b\n2:cpu,cpuacct:/c\n0::/\n", version_1,
			  &host);

	cr_assert(eq(uint, host.version, 1));
	cr_assert(eq(str, host.path[CGROUP_MEMORY], "/sys/fs/cgroup/memory/a/b"));
	cr_assert(eq(str, host.path[CGROUP_PIDS], "/sys/fs/cgroup/pids"));
	cr_assert(eq(str, host.path[CGROUP_CPU], "/sys/fs/cgroup/cpu,cpuacct/c"));
	cr_assert(eq(str, host.path[CGROUP_CPUACCT], "/sys/fs/cgroup/cpu,cpuacct/c"));
}

Test(cgroup, version_2_has_one_folder)
{
	struct cgroup_host host;

	cgroup_host_parse("0::/system.slice/casemate.service\n",
			  "30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n",
			  &host);

	cr_assert(eq(uint, host.version, 2));
	cr_assert(eq(str, host.path[CGROUP_MEMORY],
		     "/sys/fs/cgroup/system.slice/casemate.service"));
}

Test(cgroup, a_mount_of_a_part_of_the_tree_is_seen_from_its_root)
{
	struct cgroup_host host;

	cgroup_host_parse("0::/docker/abc/inner\n",
			  "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
			  &host);
	cr_assert(eq(str, host.path[CGROUP_MEMORY], "/sys/fs/cgroup/inner"));

	cgroup_host_parse("0::/elsewhere\n",
			  "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
			  &host);
	cr_assert(eq(uint, host.version, 0));
}

Test(cgroup, a_name_that_only_begins_alike_is_another)
{
	struct cgroup_host host;

	cgroup_host_parse("2:cpuset:/wrong\n3:cpuacct:/right\n8:pids:/\n",
			  "1 2 0:1 / /cg/cpuset rw - cgroup cgroup rw,cpuset\n"
			  "1 2 0:1 / /cg/cpuacct rw - cgroup cgroup rw,cpuacct\n"
			  "1 2 0:1 / /cg/pids rw - cgroup cgroup rw,pids\n",
			  &host);

	cr_assert(eq(str, host.path[CGROUP_CPU], ""));
	cr_assert(eq(str, host.path[CGROUP_CPUACCT], "/cg/cpuacct/right"));
}

Test(cgroup, a_controller_is_a_whole_word_of_the_list)
{
	static const char list[] = "cpuset memory pids\n";

	cr_assert(cgroup_list_has(list, sizeof(list) - 1, "memory"));
	cr_assert(cgroup_list_has(list, sizeof(list) - 1, "pids"));
	cr_assert(not(cgroup_list_has(list, sizeof(list) - 1, "cpu")));
	cr_assert(not(cgroup_list_has(list, sizeof("cpuset mem") - 1, "memory")));
	cr_assert(cgroup_list_has("rw,cpu,cpuacct", sizeof("rw,cpu,cpuacct") - 1, "cpu"));
	cr_assert(not(cgroup_list_has("", 0, "cpu")));
}

Test(cgroup, nonsense_offers_nothing)
{
	static const char *const bad[] = {"", "\n\n", ":", "a:b", "0:", "0::", "0::\n:::\n"};
	struct cgroup_host host;

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		cgroup_host_parse(bad[i], bad[i], &host);
		cr_assert(eq(uint, host.version, 0));
	}
	cgroup_host_parse("0::/", " - cgroup2\n1 2 3 - cgroup2 x y\n", &host);
	cr_assert(eq(uint, host.version, 0));
}

Test(cgroup, numbers_are_found_by_their_whole_key)
{
	static const char text[] = "oom_kill_disable 7\nunder_oom 1\noom_kill 42\n";
	FILE *file = tmpfile();

	cr_assert(ne(ptr, file, NULL));
	cr_assert(ge(int, fputs(text, file), 0));
	cr_assert(eq(int, fflush(file), 0));

	cr_assert(eq(u64, cgroup_number(fileno(file), "oom_kill"), 42));
	cr_assert(eq(u64, cgroup_number(fileno(file), "absent"), 0));
	cr_assert(eq(u64, cgroup_number(-1, "oom_kill"), 0));
	(void)fclose(file);
}

Test(cgroup, the_peak_is_less_what_was_there_before)
{
	struct cgroup_group group;

	cgroup_group_init(&group);
	cr_assert(eq(int, memfd_from("peak", "1048576\n", 8, &group.memory_peak, NULL), 0));
	cr_assert(eq(u64, cgroup_group_memory_peak(&group), 1048576));
	group.memory_before = 1000000;
	cr_assert(eq(u64, cgroup_group_memory_peak(&group), 48576));
	group.memory_before = 2000000;
	cr_assert(eq(u64, cgroup_group_memory_peak(&group), 0));
	fd_drop(&group.memory_peak);
}

/* A folder of plain files for the pids group of version 1: one that is made anew there has no
 * file to join by, and fails. */
static int prepare_again(const char *peak, struct cgroup_group *group)
{
	char folder[] = "/tmp/casemate-cgroup-XXXXXX";
	const struct cgroup_limits limits = {.processes = 0};
	struct cgroup_instance instance = {.version = 1, .folders = CGROUP_NO_FDS};
	int status;

	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	instance.folders[CGROUP_PIDS] = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cgroup_group_init(group);
	group->is_made = true;
	group->folders[CGROUP_PIDS] = fcntl(instance.folders[CGROUP_PIDS], F_DUPFD_CLOEXEC, 3);
	cr_assert(eq(int, memfd_from("peak", peak, strlen(peak), &group->pids_peak, NULL), 0));
	cr_assert(eq(int, memfd_from("events", "max 3\n", 6, &group->pids_events, NULL), 0));

	status = cgroup_group_prepare(&instance, group, "w0", &limits, NULL);

	(void)unlinkat(instance.folders[CGROUP_PIDS], "w0", AT_REMOVEDIR);
	(void)close(instance.folders[CGROUP_PIDS]);
	(void)rmdir(folder);
	return status;
}

Test(cgroup, a_group_whose_worker_was_alone_is_kept)
{
	struct cgroup_group group;

	cr_assert(eq(int, prepare_again("1\n", &group), 0));
	/* Refused three times before: not this worker's. */
	cr_expect(eq(u64, group.pids_refused_before, 3));
	cr_expect(eq(u64, cgroup_group_pids_refused(&group), 0));
	fd_drop(&group.pids_events);
	cr_assert(eq(int, memfd_from("events", "max 5\n", 6, &group.pids_events, NULL), 0));
	cr_expect(eq(u64, cgroup_group_pids_refused(&group), 2));
	group.limits.processes = 2;
	cr_expect(eq(u64, cgroup_group_pids_refused(&group), 0));
}

Test(cgroup, a_group_whose_worker_had_company_is_made_anew)
{
	struct cgroup_group group;

	cr_expect(lt(int, prepare_again("2\n", &group), 0));
	cr_expect(eq(int, group.folders[CGROUP_PIDS], -1));
}

/* Version 2 against a folder of plain files: what is written where, and in which order the
 * hierarchy is divided, can be seen without a host that has it. */
Test(cgroup, version_2_writes_its_limits)
{
	char folder[] = "/tmp/casemate-cgroup-XXXXXX";
	struct cgroup_instance instance = {
		.version = 2,
		.layers = LAYER_CGROUP_MEMORY | LAYER_CGROUP_PIDS | LAYER_CGROUP_CPU,
		.parents = CGROUP_NO_FDS,
		.folders = CGROUP_NO_FDS,
	};
	static const char *const files[] = {"memory.max", "memory.swap.max", "memory.oom.group",
					    "pids.max"};
	struct cgroup_group group;
	char text[64];

	cgroup_group_init(&group);
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	group.folders[CGROUP_MEMORY] = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
		own_fd fd = openat(group.folders[CGROUP_MEMORY], files[i], O_CREAT | O_WRONLY,
				   0600);

		cr_assert(ge(int, fd, 0));
	}

	cr_assert(
		eq(int,
		   cgroup_group_limit(
			   &instance, &group,
			   &(struct cgroup_limits){.memory_bytes = 4096, .processes = 7}, NULL),
		   0));

	cr_assert(
		eq(int, cgroup_read(group.folders[CGROUP_MEMORY], "memory.max", text, 64), 0));
	cr_assert(eq(str, text, "4096"));
	cr_assert(eq(int,
		     cgroup_read(group.folders[CGROUP_MEMORY], "memory.swap.max", text, 64),
		     0));
	cr_assert(eq(str, text, "0"));
	cr_assert(eq(int,
		     cgroup_read(group.folders[CGROUP_MEMORY], "memory.oom.group", text, 64),
		     0));
	cr_assert(eq(str, text, "1"));
	cr_assert(eq(int, cgroup_read(group.folders[CGROUP_MEMORY], "pids.max", text, 64), 0));
	cr_assert(eq(str, text, "7"));
	for (size_t i = 0; i < ARRAY_COUNT(files); i++)
		(void)unlinkat(group.folders[CGROUP_MEMORY], files[i], 0);
	(void)close(group.folders[CGROUP_MEMORY]);
	(void)rmdir(folder);
}
