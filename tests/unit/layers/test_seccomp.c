#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/chan.h"
#include "base/memfd.h"
#include "sandbox/layers/seccomp_rules.h"
#include "tests/unit/layers/bpf.h"
#include "tests/unit/layers/child.h"

TestSuite(seccomp, .timeout = 30);

#define PASS   SECCOMP_RET_ALLOW
#define EPERMS (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT (SECCOMP_RET_ERRNO | ENOSYS)
#define KILL   SECCOMP_RET_KILL_PROCESS
#define TOLD   SECCOMP_RET_USER_NOTIF

/* --- the compiled program, rule by rule -------------------------------------------------- */

static struct span compiled(enum seccomp_list list, enum seccomp_voice voice)
{
	struct err err = {0};
	struct span program = {.data = NULL};
	int fd = -1;

	cr_assert(eq(int, seccomp_program_compile(list, voice, &fd, &err), 0), "%s", err.text);
	cr_assert(eq(int, memfd_map(fd, SECCOMP_PROGRAM_BYTES_MAX, &program, &err), 0));
	(void)close(fd);
	return program;
}

static uint32_t verdict(const struct span *program, int number, const uint64_t args[6])
{
	struct seccomp_data call = {.nr = number, .arch = AUDIT_ARCH_X86_64};

	memcpy(call.args, args, sizeof(call.args));
	return bpf_run(program->data, program->length, &call);
}

/* Arguments that satisfy the rule: junk, but where a condition looks. */
static void satisfy(const struct seccomp_rule *rule, uint64_t args[6])
{
	for (unsigned i = 0; i < 6; i++)
		args[i] = 0;
	for (unsigned i = 0; i < rule->cond_count; i++) {
		const struct scmp_arg_cmp *cond = &rule->conds[i];

		args[cond->arg] = cond->op == SCMP_CMP_EQ   ? cond->datum_a
				  : cond->op == SCMP_CMP_NE ? ~cond->datum_a
							    : cond->datum_b;
	}
}

static uint32_t expected(const struct seccomp_rule *rule, enum seccomp_voice voice)
{
	switch (rule->verdict) {
	case SECCOMP_PASS:
		return PASS;
	case SECCOMP_OBSERVE:
		return voice == SECCOMP_TELL ? TOLD : PASS;
	case SECCOMP_DENY:
		return voice == SECCOMP_TELL ? TOLD : EPERMS;
	case SECCOMP_PRETEND:
		return SECCOMP_RET_ERRNO; /* number 0: done, it says */
	default:
		return ABSENT;
	}
}

static void check_list(enum seccomp_list list, enum seccomp_voice voice)
{
	struct span program = compiled(list, voice);
	struct seccomp_rules rules;
	uint64_t args[6];

	seccomp_rules(list, &rules);
	for (size_t i = 0; i < rules.count; i++) {
		const struct seccomp_rule *rule = rules.list[i];

		satisfy(rule, args);
		cr_expect(eq(u32, verdict(&program, rule->number, args), expected(rule, voice)),
			  "list %s, rule %zu, %s: %s", seccomp_list_name(list), i, rule->name,
			  rule->why);
		cr_expect(ge(int, rule->number, 0), "%s is not known here", rule->name);
		cr_expect(ne(chr, rule->why[0], '\0'));
	}
	span_done(&program);
}

Test(seccomp, every_rule_does_what_its_line_says)
{
	for (unsigned list = 0; list < SECCOMP_LISTS; list++)
		check_list((enum seccomp_list)list, SECCOMP_QUIET);
}

Test(seccomp, what_is_denied_is_told_where_somebody_listens)
{
	for (unsigned list = 0; list < SECCOMP_LISTS; list++)
		check_list((enum seccomp_list)list, SECCOMP_TELL);
}

Test(seccomp, lists_are_found_by_name)
{
	enum seccomp_list list = SECCOMP_LIST_INIT;
	struct err err = {0};

	cr_expect(eq(int, seccomp_list_find("javascript", &list, &err), 0));
	cr_expect(eq(int, (int)list, SECCOMP_LIST_JAVASCRIPT));
	cr_expect(eq(int, seccomp_list_find("pyhton", &list, &err), -ENOENT));
	/* An init's list is no runtime's. */
	cr_expect(eq(int, seccomp_list_find("init", &list, &err), -ENOENT));
}

/* Changes the bits a condition looks at, one rule at a time: it must never pass then, unless
 * another line of the same call allows just that. */
static bool is_allowed_elsewhere(const struct seccomp_rules *rules, int number,
				 const uint64_t args[6])
{
	for (size_t i = 0; i < rules->count; i++)
		if (rules->list[i]->number == number &&
		    rules->list[i]->verdict == SECCOMP_PASS &&
		    seccomp_rule_holds(rules->list[i], args))
			return true;
	return false;
}

Test(seccomp, no_bit_of_a_condition_can_be_changed)
{
	struct span program = compiled(SECCOMP_LIST_JAVASCRIPT, SECCOMP_QUIET);
	struct seccomp_rules rules;
	uint64_t args[6];

	seccomp_rules(SECCOMP_LIST_JAVASCRIPT, &rules);
	for (size_t i = 0; i < rules.count; i++) {
		const struct seccomp_rule *rule = rules.list[i];

		for (unsigned bit = 0; bit < 64 * rule->cond_count; bit++) {
			unsigned arg = rule->conds[bit / 64].arg;
			uint32_t got;

			satisfy(rule, args);
			args[arg] ^= 1ull << bit % 64;
			got = verdict(&program, rule->number, args);
			cr_expect(eq(int, got == PASS,
				     is_allowed_elsewhere(&rules, rule->number, args)),
				  "%s argument %u bit %u gives %#x", rule->name, arg, bit % 64,
				  got);
		}
	}
	span_done(&program);
}

Test(seccomp, a_number_nobody_listed_does_not_exist)
{
	struct span program = compiled(SECCOMP_LIST_JAVASCRIPT, SECCOMP_QUIET);
	struct seccomp_rules rules;
	uint64_t args[6] = {0};
	size_t passed = 0;

	seccomp_rules(SECCOMP_LIST_JAVASCRIPT, &rules);
	for (int number = 0; number < 1024; number++) {
		bool is_listed = false;

		for (size_t i = 0; i < rules.count; i++)
			is_listed |= rules.list[i]->number == number;
		if (!is_listed)
			cr_expect(eq(u32, verdict(&program, number, args), ABSENT), "%d",
				  number);
		passed += verdict(&program, number, args) == PASS;
	}
	/* A list that grows is looked at again. */
	cr_expect(lt(sz, passed, 190));
	span_done(&program);
}

Test(seccomp, foreign_architectures_and_x32_kill)
{
	struct span program = compiled(SECCOMP_LIST_WORKER, SECCOMP_QUIET);
	struct seccomp_data call = {.nr = SYS_getpid, .arch = AUDIT_ARCH_I386};
	uint64_t args[6] = {0};

	cr_expect(eq(u32, bpf_run(program.data, program.length, &call), KILL));
	call.arch = AUDIT_ARCH_AARCH64;
	cr_expect(eq(u32, bpf_run(program.data, program.length, &call), KILL));
	for (int number = 0; number < 600; number++)
		cr_expect(eq(u32, verdict(&program, 0x40000000 | number, args), KILL));
	span_done(&program);
}

Test(seccomp, the_init_may_only_wait)
{
	struct span program = compiled(SECCOMP_LIST_INIT, SECCOMP_QUIET);
	uint64_t args[6] = {0};
	struct seccomp_rules rules;
	size_t passed = 0;

	seccomp_rules(SECCOMP_LIST_INIT, &rules);
	for (int number = 0; number < 1024; number++) {
		uint32_t got = verdict(&program, number, args);

		passed += got == PASS;
		cr_expect(eq(u32, got, got == PASS ? PASS : KILL));
	}
	cr_expect(eq(sz, passed, rules.count));
	span_done(&program);
}

/* --- the same rules as libseccomp compiles them ------------------------------------------ */

static uint32_t action_of(const struct seccomp_rule *rule, enum seccomp_voice voice)
{
	uint32_t wanted = expected(rule, voice);

	return wanted == TOLD	  ? SCMP_ACT_NOTIFY
	       : wanted == PASS	  ? SCMP_ACT_ALLOW
	       : wanted == EPERMS ? SCMP_ACT_ERRNO(EPERM)
				  : SCMP_ACT_ERRNO(0);
}

static struct span compiled_by_libseccomp(enum seccomp_list list, uint32_t covers,
					  enum seccomp_voice voice)
{
	scmp_filter_ctx context = seccomp_init(
		list == SECCOMP_LIST_INIT ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(ENOSYS));
	int fd = memfd_create("oracle", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct span program = {.data = NULL};
	struct seccomp_rules rules;

	seccomp_rules_covered(list, covers, &rules);
	cr_assert(eq(int,
		     seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
		     0));
	for (size_t i = 0; i < rules.count; i++) {
		const struct seccomp_rule *rule = rules.list[i];

		if (rule->verdict != SECCOMP_ABSENT)
			cr_assert(eq(int,
				     seccomp_rule_add_array(context, action_of(rule, voice),
							    rule->number, rule->cond_count,
							    rule->conds),
				     0));
	}
	cr_assert(eq(int, seccomp_export_bpf(context, fd), 0));
	seccomp_release(context);
	cr_assert(eq(int, memfd_seal(fd, NULL), 0));
	cr_assert(eq(int, memfd_map(fd, SECCOMP_PROGRAM_BYTES_MAX, &program, NULL), 0));
	(void)close(fd);
	return program;
}

struct both {
	struct span ours, theirs;
	size_t calls, differ;
};

static void compare(struct both *both, int number, const uint64_t args[6])
{
	uint32_t ours = verdict(&both->ours, number, args);
	uint32_t theirs = verdict(&both->theirs, number, args);

	both->calls++;
	if (ours == theirs)
		return;
	both->differ++;
	cr_expect(eq(u32, ours, theirs), "call %d(%#lx, %#lx, %#lx, %#lx, %#lx)", number,
		  args[0], args[1], args[2], args[3], args[4]);
}

/* With arguments that satisfy the rule, and with each of their bits the other way round. */
static void compare_rule(struct both *both, const struct seccomp_rule *rule)
{
	uint64_t args[6];

	for (unsigned bit = 0; bit < 64 * rule->cond_count; bit++) {
		unsigned arg = rule->conds[bit / 64].arg;

		satisfy(rule, args);
		compare(both, rule->number, args);
		args[arg] ^= 1ull << bit % 64;
		compare(both, rule->number, args);
		args[arg] = UINT64_MAX << bit % 64;
		compare(both, rule->number, args);
	}
}

static void compare_list(enum seccomp_list list, uint32_t covers, enum seccomp_voice voice)
{
	static const int strange[] = {-1, -2, 0x3fffffff, 0x40000000, 0x7fffffff, INT32_MIN};
	struct both both = {.theirs = compiled_by_libseccomp(list, covers, voice)};
	struct seccomp_rules rules;
	uint64_t args[6] = {0};
	int fd = -1;

	cr_assert(eq(int, seccomp_program_compile_covered(list, covers, voice, &fd, NULL), 0));
	cr_assert(eq(int, memfd_map(fd, SECCOMP_PROGRAM_BYTES_MAX, &both.ours, NULL), 0));
	(void)close(fd);
	seccomp_rules_covered(list, covers, &rules);
	for (size_t i = 0; i < rules.count; i++)
		compare_rule(&both, rules.list[i]);
	for (unsigned pattern = 0; pattern < 4; pattern++) {
		for (unsigned i = 0; i < 6; i++)
			args[i] = pattern * UINT64_C(0x5555555555555555);
		for (int number = 0; number < 1024; number++)
			compare(&both, number, args);
		for (size_t i = 0; i < ARRAY_COUNT(strange); i++)
			compare(&both, strange[i], args);
	}
	cr_expect(eq(sz, both.differ, 0), "%zu of %zu, list %s covered by %#x", both.differ,
		  both.calls, seccomp_list_name(list), covers);
	span_done(&both.ours);
	span_done(&both.theirs);
}

/* Every list that a worker or an init can load. */
Test(seccomp, libseccomp_means_the_same)
{
	for (unsigned list = 0; list <= SECCOMP_LIST_INIT; list++)
		for (uint32_t levels = 0; levels < 8; levels++)
			for (int voice = SECCOMP_QUIET; voice <= SECCOMP_TELL; voice++)
				compare_list((enum seccomp_list)list,
					     levels * SECCOMP_COVER(LANDLOCK),
					     (enum seccomp_voice)voice);
}

/* --- the same against the kernel --------------------------------------------------------- */

static int load(void)
{
	struct err err = {0};
	int fd = -1;

	if (seccomp_program_compile(SECCOMP_LIST_WORKER, SECCOMP_QUIET, &fd, &err) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || seccomp_program_load(fd, &err) < 0)
		return child_fail(100, &err);
	return 0;
}

struct probe {
	long number;
	long args[6];
	int wanted; /* errno; 0: the call succeeds */
};

static int make_call(const void *data)
{
	const struct probe *probe = data;
	const long *args = probe->args;
	int status = load();
	long got;

	if (status != 0)
		return status;
	got = syscall(probe->number, args[0], args[1], args[2], args[3], args[4], args[5]);
	return got < 0 ? errno : 0;
}

Test(seccomp, the_kernel_agrees)
{
	static const int word = 1;
	const struct probe probes[] = {
		{SYS_getpid, {0}, 0},
		{SYS_personality, {0xffffffff}, 0},
		{SYS_personality, {0x0040000}, EPERM},
		{SYS_personality, {0x0400000}, EPERM},
		{SYS_personality, {0x0440000}, EPERM},
		{SYS_personality, {0x8}, ENOSYS},
		{SYS_prctl, {PR_GET_NAME, (long)(char[16]){0}}, 0},
		{SYS_prctl, {PR_SET_DUMPABLE, 1}, ENOSYS},
		{SYS_prctl, {PR_SET_SECCOMP, 1}, ENOSYS},
		{SYS_prctl, {PR_SET_MM, 1}, ENOSYS},
		{SYS_ioctl, {0, TIOCSTI, (long)"x"}, EPERM},
		{SYS_ioctl, {0, (long)((1ul << 32) | TIOCSTI), (long)"x"}, EPERM},
		{SYS_ioctl, {0, TIOCLINUX, (long)"x"}, EPERM},
		{SYS_ioctl, {-1, TCGETS, 0}, EBADF},
		{SYS_ioctl, {0, 0x12345, 0}, ENOSYS},
		{SYS_futex, {(long)&word, FUTEX_WAKE_PRIVATE, 1}, 0},
		{SYS_futex, {(long)&word, FUTEX_LOCK_PI, 1}, EPERM},
		{SYS_futex, {(long)&word, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1}, EPERM},
		{SYS_futex, {(long)&word, 13, 1}, EPERM},
		{SYS_socket, {AF_UNIX, SOCK_STREAM}, EPERM},
		{SYS_socket, {AF_INET, SOCK_STREAM}, EPERM},
		{SYS_socketpair,
		 {AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, (long)(int[2]){0}},
		 0},
		{SYS_socketpair, {AF_UNIX, SOCK_SEQPACKET, 0, (long)(int[2]){0}}, ENOSYS},
		{SYS_socketpair, {AF_INET, SOCK_STREAM, 0, (long)(int[2]){0}}, ENOSYS},
		{SYS_clone3, {0, 0}, ENOSYS},
		{SYS_clone, {CLONE_NEWUSER | SIGCHLD}, EPERM},
		{SYS_clone, {CLONE_NEWNS | CLONE_NEWNET | SIGCHLD}, EPERM},
		{SYS_clone, {CLONE_PARENT | SIGCHLD}, EPERM},
		{SYS_mmap, {0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}, 0},
		{SYS_mmap,
		 {0, 1 << 21, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1},
		 ENOSYS},
		{SYS_madvise, {0, 0, MADV_DONTNEED}, 0},
		{SYS_madvise, {0, 0, MADV_MERGEABLE}, ENOSYS},
		{SYS_fcntl, {0, F_GETFD}, 0},
		{SYS_fcntl, {0, F_GETLK, 0}, EPERM},
		{SYS_fcntl, {0, F_SETPIPE_SZ, 1 << 20}, EPERM},
		{SYS_prlimit64, {0, 0, 0, 0}, 0},
		{SYS_prlimit64, {1, 0, 0, 0}, ENOSYS},
		{SYS_mknod, {(long)"/tmp/casemate-none/x", 0020600, 0}, ENOSYS},
		{SYS_mknod, {(long)"/tmp/casemate-none/x", 0010600, 0}, ENOENT},
		{SYS_sendto, {-1, (long)"x", 1, 0, (long)"addr", 16}, EPERM},
		{SYS_sendto, {-1, (long)"x", 1, 0, 0, 0}, EBADF},
		{SYS_flock, {0, 1}, EPERM},
		{SYS_memfd_create, {(long)"x", 0}, EPERM},
		{SYS_timer_create, {0}, ENOSYS},
		{460, {0}, ENOSYS},
		{100000, {0}, ENOSYS},
	};

	for (size_t i = 0; i < ARRAY_COUNT(probes); i++)
		cr_expect(eq(int, child_run(make_call, &probes[i]), probes[i].wanted),
			  "probe %zu: call %ld", i, probes[i].number);
}

/* Everything that is denied whatever its arguments: harmless to try, for the program decides
 * before the kernel looks at them. */
Test(seccomp, the_kernel_denies_every_dangerous_call)
{
	struct seccomp_rules rules;

	seccomp_rules(SECCOMP_LIST_WORKER, &rules);
	for (size_t i = 0; i < rules.count; i++) {
		const struct seccomp_rule *rule = rules.list[i];
		const struct probe probe = {rule->number, {-1, -1, -1, -1, -1, -1}, EPERM};

		if (rule->verdict == SECCOMP_DENY && rule->cond_count == 0)
			cr_expect(eq(int, child_run(make_call, &probe), EPERM), "%s",
				  rule->name);
	}
}

/* Numbers that any kernel of the next years may have. */
#define NUMBERS 601

static int call_x32(const void *data)
{
	int status = load();

	return status != 0 ? status : (int)syscall(0x40000000 | *(const int *)data, 0, 0, 0);
}

static int call_i386(const void *data)
{
	int status = load();
	long number = *(const int *)data;

	if (status != 0)
		return status;
	__asm__ volatile("int $0x80"
			 : "+a"(number)
			 : "b"(0), "c"(0), "d"(0)
			 : "memory", "r8", "r9", "r10", "r11");
	return 0;
}

Test(seccomp, every_number_of_x32_and_of_int_0x80_dies)
{
	for (int number = 0; number < NUMBERS; number++) {
		cr_expect(eq(int, child_run(call_x32, &number), 1000 + SIGSYS), "x32 %d",
			  number);
		cr_expect(eq(int, child_run(call_i386, &number), 1000 + SIGSYS), "int 0x80 %d",
			  number);
	}
}

static void *thread(void *argument)
{
	return argument;
}

/* What libraries do: threads, processes, a message without descriptors. */
static int live(const void *data)
{
	struct err err = {0};
	pthread_t id;
	int ends[2];
	pid_t pid;
	int how;

	(void)data;
	if (chan_pair(ends, &err) < 0 || load() != 0)
		return 1;
	if (pthread_create(&id, NULL, thread, NULL) != 0 || pthread_join(id, NULL) != 0)
		return 2;
	pid = fork();
	if (pid == 0)
		_exit(7);
	if (waitpid(pid, &how, 0) != pid || WEXITSTATUS(how) != 7)
		return 3;
	if (chan_send_blocking(ends[0], 1, 2, "body", 4, NULL, 0, &err) < 0)
		return child_fail(4, &err);
	/* With descriptors: refused. */
	if (chan_send_blocking(ends[0], 1, 2, "body", 4, &ends[1], 1, &err) != -EPERM)
		return 5;
	pid = vfork();
	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
		_exit(99);
	}
	return waitpid(pid, &how, 0) == pid && WEXITSTATUS(how) == 5 ? 0 : 6;
}

Test(seccomp, threads_processes_and_messages_work)
{
	cr_assert(eq(int, child_run(live, NULL), 0));
}

/* A job that kept the listener could not answer with it; and once nobody holds it, what is told
 * of fails with ENOSYS and is never made. */
static int tell(const void *data)
{
	struct seccomp_notif_resp answer = {.error = -EXDEV};
	struct seccomp_notif call = {0};
	struct err err = {0};
	int memfd = -1, listener = -1;
	int how;
	pid_t pid;

	(void)data;
	if (seccomp_program_compile(SECCOMP_LIST_WORKER, SECCOMP_TELL, &memfd, &err) < 0 ||
	    seccomp_try_telling(memfd, &err) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    seccomp_program_load_telling(memfd, &listener, &err) < 0)
		return child_fail(1, &err);
	pid = fork();
	if (pid == 0)
		_exit(socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : errno);
	/* This program may not ask for a listener's ioctl, so the answer stays away. */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0 || errno != ENOSYS ||
	    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0)
		return 2;
	(void)close(listener);
	/* The child has a copy of its own. */
	(void)kill(pid, SIGKILL);
	if (waitpid(pid, &how, 0) != pid || !WIFSIGNALED(how))
		return 3;
	return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == ENOSYS ? 0 : 4;
}

Test(seccomp, a_listener_is_of_no_use_to_the_job_itself)
{
	cr_assert(eq(int, child_run(tell, NULL), 0));
}

static int load_bad(const void *data)
{
	struct err err = {0};
	int plain = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int odd = -1, program = -1;

	(void)data;
	/* Not sealed, not whole instructions, not a program, or without no_new_privs. */
	if (seccomp_program_load(plain, &err) == 0 || seccomp_program_load(-1, &err) == 0)
		return 1;
	if (memfd_from("x", "12345", 5, &odd, &err) < 0 || seccomp_program_load(odd, &err) == 0)
		return 2;
	if (memfd_from("x", "12345678", 8, &odd, &err) < 0 ||
	    seccomp_program_load(odd, &err) == 0)
		return 3;
	if (child_is_root() && setresuid(65534, 65534, 65534) != 0)
		return 4;
	if (seccomp_program_compile(SECCOMP_LIST_WORKER, SECCOMP_QUIET, &program, &err) < 0 ||
	    seccomp_program_load(program, &err) == 0)
		return 5;
	return prctl(PR_GET_SECCOMP) == 0 ? 0 : 6;
}

Test(seccomp, a_program_that_cannot_be_loaded_is_an_error)
{
	cr_assert(eq(int, child_run(load_bad, NULL), 0));
}
