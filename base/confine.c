#include "base/confine.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

int confine_bounding_set(bool is_demanded, struct err *err)
{
	int cap = 0;

	/* The first number the kernel does not know ends the list. */
	while (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
		cap++;
	if (errno == EPERM && !is_demanded)
		return 0;
	if (errno != EINVAL || cap == 0)
		return err_errno(err, errno, "drop capability %d from the bounding set", cap);
	for (int dropped = 0; dropped < cap; dropped++)
		if (prctl(PR_CAPBSET_READ, dropped, 0, 0, 0) != 0)
			return err_set(err, EPERM, "capability %d did not go away", dropped);
	return 0;
}

int confine_uid(uint32_t uid, struct err *err)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;
	int status;

	if (uid == 0)
		return 0;
	/* Now, because CAP_SETPCAP goes with uid 0. */
	status = confine_bounding_set(false, err);
	if (status < 0)
		return status;
	if (setgroups(0, NULL) != 0)
		return err_errno(err, errno, "drop supplementary groups");
	if (setresgid(uid, uid, uid) != 0)
		return err_errno(err, errno, "become group %u", uid);
	if (setresuid(uid, uid, uid) != 0)
		return err_errno(err, errno, "become user %u", uid);
	if (getresuid(&ruid, &euid, &suid) != 0 || getresgid(&rgid, &egid, &sgid) != 0)
		return err_errno(err, errno, "read the new user back");
	if (ruid != uid || euid != uid || suid != uid || rgid != uid || egid != uid ||
	    sgid != uid)
		return err_set(err, EPERM, "user %u did not stick", uid);
	return 0;
}

int confine_capabilities(struct err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};
	struct __user_cap_data_struct now[2] = {{0}};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0)
		return err_errno(err, errno, "clear ambient capabilities");
	if (syscall(SYS_capset, &header, none) != 0)
		return err_errno(err, errno, "drop capabilities");
	if (syscall(SYS_capget, &header, now) != 0)
		return err_errno(err, errno, "read capabilities back");
	for (int i = 0; i < 2; i++)
		if ((now[i].effective | now[i].permitted | now[i].inheritable) != 0)
			return err_set(err, EPERM, "capabilities did not go away");
	return 0;
}

int confine_core(struct err *err)
{
	/* 1, not 0: with a pipe in core_pattern the kernel ignores a limit of 0. Who gave us a
	 * hard limit of 0 (LimitCORE=0) has decided that himself, and it cannot be raised. */
	struct rlimit core;

	if (getrlimit(RLIMIT_CORE, &core) != 0)
		return err_errno(err, errno, "read the limit of core files");
	if (core.rlim_max > 1)
		core.rlim_max = 1;
	core.rlim_cur = core.rlim_max;
	if (setrlimit(RLIMIT_CORE, &core) != 0)
		return err_errno(err, errno, "limit core files");
	return 0;
}

int confine_privileges(struct err *err)
{
	int status;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_errno(err, errno, "set no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_errno(err, errno, "clear dumpable");
	status = confine_core(err);
	if (status == 0)
		status = confine_bounding_set(false, err);
	return status < 0 ? status : confine_capabilities(err);
}

/* Bits that each ABI added; an older kernel refuses a ruleset that names newer ones. */
#define ACCESS_REFER	 (1ull << 13) /* ABI 2 */
#define ACCESS_TRUNCATE	 (1ull << 14) /* ABI 3 */
#define ACCESS_IOCTL_DEV (1ull << 15) /* ABI 5 */

static uint64_t access_all(unsigned abi)
{
	uint64_t all = ACCESS_REFER - 1;

	if (abi >= 2)
		all |= ACCESS_REFER;
	if (abi >= 3)
		all |= ACCESS_TRUNCATE;
	if (abi >= 5)
		all |= ACCESS_IOCTL_DEV;
	return all;
}

/* The kernel's struct as of ABI 6; build machines may have older headers. */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

unsigned confine_landlock_abi(void)
{
	long abi =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (unsigned)abi;
}

int confine_landlock(unsigned abi_min, const struct confine_folder *folders, size_t count,
		     unsigned *ret_abi, struct err *err)
{
	unsigned abi = confine_landlock_abi();
	struct ruleset_attr attr = {.handled_access_fs = access_all(abi)};
	own_fd ruleset = -1;

	if (abi < abi_min || abi == 0)
		return err_set(err, ENOTSUP,
			       "Landlock ABI %u is required, the kernel has %u: use a newer "
			       "kernel, add "
			       "landlock to its lsm= list, or lower isolation.landlock_abi_min",
			       abi_min, abi);
	if (abi >= 4)
		attr.handled_access_net = 3; /* bind and connect by TCP */
	if (abi >= CONFINE_LANDLOCK_ABI_SCOPES)
		attr.scoped = 3; /* abstract sockets and signals to outside */
	ruleset =
		(int)syscall(SYS_landlock_create_ruleset, &attr,
			     abi >= CONFINE_LANDLOCK_ABI_SCOPES ? 24 : (abi >= 4 ? 16 : 8), 0);
	if (ruleset < 0)
		return err_errno(err, errno, "create a Landlock ruleset");
	for (size_t i = 0; i < count; i++) {
		struct landlock_path_beneath_attr beneath = {
			.allowed_access = folders[i].access & attr.handled_access_fs,
			.parent_fd = folders[i].fd,
		};

		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
			    &beneath, 0) != 0)
			return err_errno(err, errno, "add Landlock rule %zu", i);
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		return err_errno(err, errno, "enforce Landlock");
	*ret_abi = abi;
	return 0;
}

/* Nothing in the service does these once it is confined; whoever tries is an attacker. */
static const int deadly[] = {
	__NR_execve,
	__NR_execveat,
	__NR_ptrace,
	__NR_process_vm_readv,
	__NR_process_vm_writev,
	__NR_mount,
	__NR_umount2,
	__NR_pivot_root,
	__NR_chroot,
	__NR_unshare,
	__NR_setns,
	__NR_bpf,
	__NR_perf_event_open,
	__NR_init_module,
	__NR_finit_module,
	__NR_delete_module,
	__NR_kexec_load,
	__NR_kexec_file_load,
	__NR_keyctl,
	__NR_add_key,
	__NR_request_key,
	__NR_io_uring_setup,
	__NR_userfaultfd,
	__NR_open_by_handle_at,
	__NR_setuid,
	__NR_setgid,
	__NR_capset,
	__NR_personality,
};

#define LIST_MAX    256 /* calls in one list, far above any of ours */
#define X32_BIT	    0x40000000u
#define NR_OFFSET   ((uint32_t)offsetof(struct seccomp_data, nr))
#define ARCH_OFFSET ((uint32_t)offsetof(struct seccomp_data, arch))

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "confine_seccomp: name this architecture's AUDIT_ARCH"
#endif

struct program {
	struct sock_filter code[2 * (LIST_MAX + ARRAY_COUNT(deadly)) + 16];
	unsigned short length;
};

static void emit(struct program *program, uint16_t code, uint32_t value, uint8_t yes,
		 uint8_t no)
{
	program->code[program->length++] =
		(struct sock_filter){.code = code, .jt = yes, .jf = no, .k = value};
}

static void emit_case(struct program *program, int number, uint32_t action)
{
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
	emit(program, BPF_RET | BPF_K, action, 0, 0);
}

int confine_seccomp(const struct confine_syscall *allowed, size_t count, struct err *err)
{
	struct program program = {.length = 0};
	struct sock_fprog load = {.filter = program.code};

	if (count > LIST_MAX)
		return err_set(err, E2BIG, "seccomp list of %zu calls", count);
	emit(&program, BPF_LD | BPF_W | BPF_ABS, ARCH_OFFSET, 0, 0);
	emit(&program, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
	emit(&program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	emit(&program, BPF_LD | BPF_W | BPF_ABS, NR_OFFSET, 0, 0);
	emit(&program, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	emit(&program, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	for (size_t i = 0; i < count; i++)
		emit_case(&program, allowed[i].number, SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_COUNT(deadly); i++)
		emit_case(&program, deadly[i], SECCOMP_RET_KILL_PROCESS);
	emit(&program, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
	load.len = program.length;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &load) !=
	    0)
		return err_errno(err, errno, "load the seccomp filter");
	return 0;
}

int confine_prove(int has_folders, struct err *err)
{
	own_fd file = -1;
	own_fd network = -1;

	if (!has_folders) {
		file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		if (file >= 0)
			return err_set(err, EPERM, "confinement failed: files can be opened");
	}
	network = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (network >= 0)
		return err_set(err, EPERM, "confinement failed: a socket can be opened");
	if (geteuid() != 0 && setresuid(0, 0, 0) == 0)
		return err_set(err, EPERM, "confinement failed: uid 0 came back");
	return 0;
}

int confine_denies_calls(void)
{
	return syscall(SYS_keyctl, -1L, 0L, 0L, 0L, 0L) == -1 &&
	       (errno == ENOSYS || errno == EPERM);
}
