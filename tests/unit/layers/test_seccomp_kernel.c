/*
 * The lists against the kernel itself, without making a single one of the calls: a second
 * filter has every call that the list lets through handed to a tracer, which skips it. So every
 * number and every rule can be tried, pause and kill included.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "sandbox/layers/seccomp_rules.h"

TestSuite(seccomp_kernel, .timeout = 60);

#define PROBES_MAX  4096
#define NUMBERS	    601	   /* 0 to 600 */
#define LET_THROUGH 424242 /* what the tracer makes a skipped call return */

struct probe {
	long number;
	uint64_t args[6];
	long got;
};

struct board {
	int is_probing;
	size_t count;
	struct probe probes[PROBES_MAX];
};

static long raw_call(const struct probe *probe)
{
	register long result __asm__("rax") = probe->number;
	register uint64_t r10 __asm__("r10") = probe->args[3];
	register uint64_t r8 __asm__("r8") = probe->args[4];
	register uint64_t r9 __asm__("r9") = probe->args[5];

	__asm__ volatile("syscall"
			 : "+r"(result)
			 : "D"(probe->args[0]), "S"(probe->args[1]), "d"(probe->args[2]),
			   "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

static int load_tracing(void)
{
	struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE)};
	struct sock_fprog program = {.len = 1, .filter = all};

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

/* The list comes second, because it does not let a filter be loaded; the order means nothing to
 * the kernel, which takes the strictest answer of all. */
static _Noreturn void be_traced(struct board *board, int program)
{
	struct err err = {0};

	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || load_tracing() != 0 ||
	    seccomp_program_load(program, &err) < 0)
		_exit(1);
	for (size_t i = 0; i < board->count; i++) {
		board->is_probing = 1;
		board->probes[i].got = raw_call(&board->probes[i]);
		board->is_probing = 0;
	}
	_exit(0);
}

static void skip_call(pid_t pid)
{
	struct user_regs_struct registers;

	(void)ptrace(PTRACE_GETREGS, pid, NULL, &registers);
	registers.orig_rax = (unsigned long long)-1;
	registers.rax = LET_THROUGH;
	(void)ptrace(PTRACE_SETREGS, pid, NULL, &registers);
}

/* The exit code of the traced process. */
static int trace(struct board *board, pid_t pid)
{
	int how = 0;

	if (waitpid(pid, &how, 0) != pid || !WIFSTOPPED(how))
		return -1;
	(void)ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL);
	while (ptrace(PTRACE_CONT, pid, NULL, NULL) == 0 && waitpid(pid, &how, 0) == pid &&
	       WIFSTOPPED(how))
		if (how >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8) && board->is_probing)
			skip_call(pid);
	return WIFEXITED(how) ? WEXITSTATUS(how) : 1000 + WTERMSIG(how);
}

static void run(struct board *board, enum seccomp_list list, uint32_t covers)
{
	struct err err = {0};
	int program = -1;
	pid_t pid;

	cr_assert(
		eq(int,
		   seccomp_program_compile_covered(list, covers, SECCOMP_QUIET, &program, &err),
		   0));
	pid = fork();
	if (pid == 0)
		be_traced(board, program);
	cr_assert(eq(int, trace(board, pid), 0));
	(void)close(program);
}

static struct board *board_new(void)
{
	void *memory = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert(ne(ptr, memory, MAP_FAILED));
	return memory;
}

static struct probe *add(struct board *board, long number, const uint64_t args[6])
{
	struct probe *probe = &board->probes[board->count++];

	cr_assert(lt(sz, board->count, PROBES_MAX));
	probe->number = number;
	memcpy(probe->args, args, sizeof(probe->args));
	return probe;
}

/* What the published list says of a call. */
static long published(const struct seccomp_rules *rules, const struct probe *probe)
{
	long answer = -ENOSYS;

	for (size_t i = 0; i < rules->count; i++) {
		const struct seccomp_rule *rule = rules->list[i];

		if (rule->number != probe->number || rule->verdict == SECCOMP_ABSENT ||
		    !seccomp_rule_holds(rule, probe->args))
			continue;
		if (rule->verdict == SECCOMP_PRETEND)
			return 0;
		if (rule->verdict != SECCOMP_DENY)
			return LET_THROUGH;
		answer = -EPERM;
	}
	return answer;
}

/* The trampolines of user-space probes: newer kernels let no filter see them, and end whoever
 * makes them elsewhere than in a probe, which only the host's root can set. */
static bool is_beyond_seccomp(long number)
{
	return number == 335 /* uretprobe */ || number == 336 /* uprobe */;
}

static void compare(const struct board *board, enum seccomp_list list, uint32_t covers)
{
	struct seccomp_rules rules;

	seccomp_rules_covered(list, covers, &rules);
	for (size_t i = 0; i < board->count; i++) {
		const struct probe *probe = &board->probes[i];

		if (is_beyond_seccomp(probe->number)) {
			cr_expect(lt(long, probe->got, 0));
			continue;
		}
		cr_expect(eq(long, probe->got, published(&rules, probe)),
			  "list %s under %#x: call %ld(%#lx, %#lx, %#lx, %#lx, %#lx)",
			  seccomp_list_name(list), covers, probe->number, (long)probe->args[0],
			  (long)probe->args[1], (long)probe->args[2], (long)probe->args[3],
			  (long)probe->args[4]);
	}
}

static void add_every_number(struct board *board)
{
	static const uint64_t junk[][6] = {{0}, {~0ull, ~0ull, ~0ull, ~0ull, ~0ull, ~0ull}};

	for (int number = 0; number < NUMBERS; number++)
		for (size_t i = 0; i < ARRAY_COUNT(junk); i++)
			(void)add(board, number, junk[i]);
}

static uint64_t fitting(const struct scmp_arg_cmp *cond)
{
	return cond->op == SCMP_CMP_EQ	 ? cond->datum_a
	       : cond->op == SCMP_CMP_NE ? ~cond->datum_a
					 : cond->datum_b;
}

/* Against the condition: a bit it looks at is another. */
static uint64_t unfitting(const struct scmp_arg_cmp *cond)
{
	if (cond->op == SCMP_CMP_NE)
		return cond->datum_a;
	return fitting(cond) ^ (cond->op == SCMP_CMP_EQ ? 1 : cond->datum_a & -cond->datum_a);
}

static void add_rule(struct board *board, const struct seccomp_rule *rule)
{
	uint64_t args[6] = {0};

	for (unsigned i = 0; i < rule->cond_count; i++)
		args[rule->conds[i].arg] = fitting(&rule->conds[i]);
	(void)add(board, rule->number, args);
	for (unsigned i = 0; i < rule->cond_count; i++) {
		unsigned arg = rule->conds[i].arg;

		args[arg] = unfitting(&rule->conds[i]);
		(void)add(board, rule->number, args);
		args[arg] = fitting(&rule->conds[i]);
	}
}

static void add_every_rule(struct board *board, enum seccomp_list list, uint32_t covers)
{
	struct seccomp_rules rules;

	seccomp_rules_covered(list, covers, &rules);
	for (size_t i = 0; i < rules.count; i++)
		add_rule(board, rules.list[i]);
}

/* What the warden lays over a runtime's list at its levels (worker_covers in enter.c). */
static const uint32_t levels[] = {
	0,
	SECCOMP_COVER(LANDLOCK),
	SECCOMP_COVER(LANDLOCK) | SECCOMP_COVER(SHARED_UID),
	SECCOMP_COVER(LANDLOCK) | SECCOMP_COVER(NO_PROCESSES),
	SECCOMP_COVER(LANDLOCK) | SECCOMP_COVER(SHARED_UID) | SECCOMP_COVER(NO_PROCESSES),
};

/* A rule that is added to a list is tried from then on. */
static void try_lists(uint32_t covers)
{
	for (unsigned list = 0; list < SECCOMP_LIST_INIT; list++) {
		struct board *board = board_new();

		add_every_number(board);
		add_every_rule(board, (enum seccomp_list)list, covers);
		run(board, (enum seccomp_list)list, covers);
		compare(board, (enum seccomp_list)list, covers);
		(void)munmap(board, sizeof(*board));
	}
}

Test(seccomp_kernel, every_number_and_every_rule_is_as_published)
{
	for (size_t i = 0; i < ARRAY_COUNT(levels); i++)
		try_lists(levels[i]);
}
