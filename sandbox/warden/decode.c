#include "sandbox/warden/decode.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "base/own.h"
#include "sandbox/layers/root.h"

/* --- the caller's memory ----------------------------------------------------------------- */

struct caller {
	pid_t tid; /* in our pid namespace */
	int memory_fd;
	bool has_read;
};

static int open_proc(pid_t tid, const char *what, int flags)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, what);
	return open(path, flags | O_CLOEXEC);
}

/* Bytes read; 0 when there is nothing. */
static size_t read_memory(struct caller *caller, uint64_t address, void *ret, size_t size)
{
	ssize_t got;

	caller->has_read = true;
	if (caller->memory_fd < 0)
		caller->memory_fd = open_proc(caller->tid, "mem", O_RDONLY);
	if (caller->memory_fd < 0 || address == 0 || address > INT64_MAX)
		return 0;
	got = pread(caller->memory_fd, ret, size, (off_t)address);
	return got > 0 ? (size_t)got : 0;
}

/* A cut string ends in "..."; what is no character of a line becomes a question mark. */
static void read_string(struct caller *caller, uint64_t address, char *ret, size_t size)
{
	size_t got = read_memory(caller, address, ret, size - 1);
	size_t length = strnlen(ret, got);

	if (got == 0) {
		(void)snprintf(ret, size, "?");
		return;
	}
	ret[length] = '\0';
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)ret[i] < ' ' || ret[i] == 0x7f)
			ret[i] = '?';
	if (length == size - 1)
		memcpy(ret + length - 3, "...", 3);
}

/* Last number of a "Name:\t1\t2\n" line: the process's own view of itself. */
static uint32_t last_number(const char *text, const char *name)
{
	const char *line = strstr(text, name);
	const char *end = line != NULL ? strchr(line + 1, '\n') : NULL;

	if (end == NULL)
		return 0;
	while (end > line && end[-1] >= '0' && end[-1] <= '9')
		end--;
	return (uint32_t)strtoul(end, NULL, 10);
}

static void read_ids(const struct caller *caller, struct event *ret)
{
	char text[4096];
	own_fd fd = open_proc(caller->tid, "status", O_RDONLY);
	ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	if (got <= 0)
		return;
	text[got] = '\0';
	ret->pid = last_number(text, "\nNStgid:");
	ret->tid = last_number(text, "\nNSpid:");
}

/* --- arguments --------------------------------------------------------------------------- */

struct name {
	uint64_t value;
	const char *name;
};

#define NAMED(x)        \
	{               \
		(x), #x \
	}

static const struct name families[] = {
	NAMED(AF_UNIX),	  NAMED(AF_INET),      NAMED(AF_INET6),	  NAMED(AF_NETLINK),
	NAMED(AF_PACKET), NAMED(AF_ALG),       NAMED(AF_KEY),	  NAMED(AF_RDS),
	NAMED(AF_TIPC),	  NAMED(AF_BLUETOOTH), NAMED(AF_VSOCK),	  NAMED(AF_XDP),
	NAMED(AF_CAN),	  NAMED(AF_RXRPC),     NAMED(AF_QIPCRTR),
};

static const struct name kinds[] = {
	NAMED(SOCK_STREAM), NAMED(SOCK_DGRAM),	   NAMED(SOCK_RAW),
	NAMED(SOCK_RDM),    NAMED(SOCK_SEQPACKET),
};

static const struct name flags[] = {
	NAMED(CLONE_NEWUSER), NAMED(CLONE_NEWNS),  NAMED(CLONE_NEWPID), NAMED(CLONE_NEWNET),
	NAMED(CLONE_NEWIPC),  NAMED(CLONE_NEWUTS), NAMED(CLONE_PARENT), NAMED(CLONE_NEWCGROUP),
};

static void put_name(const struct name *names, size_t count, uint64_t value, char *ret,
		     size_t size)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].value == value) {
			(void)snprintf(ret, size, "%s", names[i].name);
			return;
		}
	(void)snprintf(ret, size, "%llu", (unsigned long long)value);
}

static void put_flags(uint64_t value, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = '\0';
	for (size_t i = 0; i < ARRAY_COUNT(flags); i++)
		if ((value & flags[i].value) != 0)
			used += (size_t)snprintf(ret + used, size - used, "%s%s",
						 used > 0 ? "|" : "", flags[i].name);
	if (used == 0)
		(void)snprintf(ret, size, "%#llx", (unsigned long long)value);
}

static void put_unix(const struct sockaddr_un *address, size_t length, char *ret, size_t size)
{
	size_t path = length > offsetof(struct sockaddr_un, sun_path)
			      ? length - offsetof(struct sockaddr_un, sun_path)
			      : 0;
	const char *text = address->sun_path;
	bool is_abstract = path > 0 && text[0] == '\0';
	size_t used = (size_t)snprintf(ret, size, "unix:%s", is_abstract ? "@" : "");

	for (size_t i = is_abstract; i < path && text[i] != '\0' && used + 1 < size; i++)
		ret[used++] = (char)(text[i] < ' ' || text[i] == 0x7f ? '?' : text[i]);
	ret[used] = '\0';
}

static void put_address(struct caller *caller, uint64_t address, uint64_t length, char *ret,
			size_t size)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un un;
		char bytes[sizeof(struct sockaddr_un)];
	} at = {.bytes = {0}};
	size_t wanted = length < sizeof(at) ? length : sizeof(at);
	size_t got = read_memory(caller, address, &at, wanted);
	char text[INET6_ADDRSTRLEN] = "";

	if (got < sizeof(at.any.sa_family))
		(void)snprintf(ret, size, "?");
	else if (at.any.sa_family == AF_INET && got >= sizeof(at.v4))
		(void)snprintf(ret, size, "%s:%u",
			       inet_ntop(AF_INET, &at.v4.sin_addr, text, sizeof(text)),
			       ntohs(at.v4.sin_port));
	else if (at.any.sa_family == AF_INET6 && got >= 24)
		(void)snprintf(ret, size, "[%s]:%u",
			       inet_ntop(AF_INET6, &at.v6.sin6_addr, text, sizeof(text)),
			       ntohs(at.v6.sin6_port));
	else if (at.any.sa_family == AF_UNIX)
		put_unix(&at.un, got, ret, size);
	else
		put_name(families, ARRAY_COUNT(families), at.any.sa_family, ret, size);
}

/*
 * How to write a call's arguments. After a %, a letter and the argument's number:
 *   d integer, x bits, s path or name, a socket address (its length is the next argument),
 *   F address family, T kind of socket, C namespace flags.
 * A call without a line shows its first three arguments as bits.
 */
static const struct {
	int number;
	const char *format;
} formats[] = {
	{SYS_socket, "%F0, %T1, protocol %d2"},
	{SYS_connect, "fd %d0 to %a1"},
	{SYS_bind, "fd %d0 to %a1"},
	{SYS_sendto, "fd %d0 to %a4"},
	{SYS_listen, "fd %d0"},
	{SYS_accept, "fd %d0"},
	{SYS_accept4, "fd %d0"},
	{SYS_setsockopt, "fd %d0, level %d1, option %d2"},
	{SYS_sendmsg, "fd %d0"},
	{SYS_sendmmsg, "fd %d0"},
	{SYS_recvmmsg, "fd %d0"},
	{SYS_unshare, "%C0"},
	{SYS_clone, "%C0"},
	{SYS_setns, "fd %d0, %C1"},
	{SYS_mount, "%s0 on %s1, type %s2, flags %x3"},
	{SYS_umount2, "%s0"},
	{SYS_chroot, "%s0"},
	{SYS_pivot_root, "%s0, old root on %s1"},
	{SYS_fsopen, "type %s0"},
	{SYS_fsconfig, "fd %d0, command %d1, %s2"},
	{SYS_fspick, "%s1"},
	{SYS_move_mount, "%s1 to %s3"},
	{SYS_open_tree, "%s1"},
	{SYS_mount_setattr, "%s1"},
	{SYS_ptrace, "request %d0, process %d1"},
	{SYS_process_vm_readv, "process %d0"},
	{SYS_process_vm_writev, "process %d0"},
	{SYS_kcmp, "processes %d0 and %d1"},
	{SYS_pidfd_open, "process %d0"},
	{SYS_bpf, "command %d0"},
	{SYS_perf_event_open, "process %d1, processor %d2"},
	{SYS_keyctl, "operation %d0"},
	{SYS_add_key, "type %s0, %s1"},
	{SYS_request_key, "type %s0, %s1"},
	{SYS_io_uring_setup, "%d0 entries"},
	{SYS_userfaultfd, "flags %x0"},
	{SYS_memfd_create, "%s0"},
	{SYS_name_to_handle_at, "%s1"},
	{SYS_execveat, "fd %d0, %s1, flags %x4"},
	{SYS_inotify_add_watch, "%s1"},
	{SYS_flock, "fd %d0, operation %d1"},
	{SYS_fcntl, "fd %d0, command %d1"},
	{SYS_ioctl, "fd %d0, request %x1"},
	{SYS_futex, "operation %d1"},
	{SYS_personality, "%x0"},
	{SYS_setuid, "%d0"},
	{SYS_setgid, "%d0"},
	{SYS_setreuid, "%d0, %d1"},
	{SYS_setregid, "%d0, %d1"},
	{SYS_setresuid, "%d0, %d1, %d2"},
	{SYS_setresgid, "%d0, %d1, %d2"},
	{SYS_swapon, "%s0"},
	{SYS_swapoff, "%s0"},
	{SYS_acct, "%s0"},
	{SYS_quotactl, "command %x0, %s1"},
	{SYS_reboot, "command %x2"},
};

static const char *format_of(int number)
{
	for (size_t i = 0; i < ARRAY_COUNT(formats); i++)
		if (formats[i].number == number)
			return formats[i].format;
	return "arguments %x0, %x1, %x2";
}

void decode_used_arguments(const struct seccomp_data *data, uint64_t ret[6])
{
	memset(ret, 0, 6 * sizeof(*ret));
	for (const char *at = strchr(format_of(data->nr), '%'); at != NULL;
	     at = strchr(at + 1, '%'))
		ret[at[2] - '0'] = data->args[at[2] - '0'];
}

static void put_argument(struct caller *caller, char letter, const __u64 *args, char *ret,
			 size_t size)
{
	switch (letter) {
	case 's':
		read_string(caller, args[0], ret, size);
		break;
	case 'a':
		put_address(caller, args[0], args[1], ret, size);
		break;
	case 'F':
		put_name(families, ARRAY_COUNT(families), args[0], ret, size);
		break;
	case 'T':
		put_name(kinds, ARRAY_COUNT(kinds), args[0] & 0xf, ret, size);
		break;
	case 'C':
		put_flags(args[0], ret, size);
		break;
	case 'd':
		(void)snprintf(ret, size, "%d", (int)args[0]);
		break;
	default:
		(void)snprintf(ret, size, "%#llx", (unsigned long long)args[0]);
	}
}

static void put_arguments(struct caller *caller, const struct seccomp_data *data,
			  struct event *ret)
{
	size_t used = 0;
	char text[96];

	for (const char *at = format_of(data->nr); *at != '\0'; at++) {
		if (*at != '%') {
			if (used + 1 < sizeof(ret->detail))
				ret->detail[used++] = *at;
			continue;
		}
		put_argument(caller, at[1], &data->args[at[2] - '0'], text, sizeof(text));
		if ((at[1] == 's' || at[1] == 'a') && ret->target[0] == '\0')
			(void)snprintf(ret->target, sizeof(ret->target), "%s", text);
		used += (size_t)snprintf(ret->detail + used, sizeof(ret->detail) - used, "%s",
					 text);
		if (used >= sizeof(ret->detail))
			used = sizeof(ret->detail) - 1;
		at += 2;
	}
	ret->detail[used] = '\0';
}

/* --- execve ------------------------------------------------------------------------------ */

#define ARGUMENTS_SHOWN 12

static void put_argv(struct caller *caller, uint64_t address, struct event *ret)
{
	uint64_t pointers[ARGUMENTS_SHOWN] = {0};
	size_t got = read_memory(caller, address, pointers, sizeof(pointers));
	size_t used = 0;
	char text[96];

	for (size_t i = 0; i < got / 8 && pointers[i] != 0; i++) {
		read_string(caller, pointers[i], text, sizeof(text));
		used += (size_t)snprintf(ret->detail + used, sizeof(ret->detail) - used, "%s%s",
					 i > 0 ? " " : "", text);
		if (used >= sizeof(ret->detail))
			return;
	}
}

/* All of it and as it is, unlike what is shown. 0 or an errno. */
static int read_path(struct caller *caller, uint64_t address, char ret[PATH_MAX])
{
	size_t got = read_memory(caller, address, ret, PATH_MAX);

	if (strnlen(ret, got) == got)
		return got == PATH_MAX ? ENAMETOOLONG : EFAULT;
	return ret[0] == '\0' ? ENOENT : 0;
}

/* From the caller's root on: links may be absolute and names go up. 0 or an errno. */
static int make_absolute(pid_t tid, const char *path, char ret[2 * PATH_MAX])
{
	char link[64];
	ssize_t length = 0;

	(void)snprintf(link, sizeof(link), "/proc/%d/cwd", (int)tid);
	if (path[0] != '/')
		length = readlink(link, ret, PATH_MAX);
	if (length < 0 || length == PATH_MAX)
		return length < 0 ? errno : ENAMETOOLONG;
	(void)snprintf(ret + length, 2 * PATH_MAX - (size_t)length, "%s%s",
		       length > 0 ? "/" : "", path);
	return 0;
}

/* Within the caller's own root, whatever links it has planted; without touching the file. */
static int open_program(pid_t tid, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	own_fd root = open_proc(tid, "root", O_PATH | O_DIRECTORY);

	return root < 0 ? -1 : (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static bool is_same_disk(pid_t tid, const char *folder, dev_t device)
{
	own_fd fd = open_program(tid, folder);
	struct stat info;

	return fd >= 0 && fstat(fd, &info) == 0 && info.st_dev == device;
}

static enum decode_program find_program(struct caller *caller, uint64_t address, int *ret_error)
{
	char path[PATH_MAX];
	char whole[2 * PATH_MAX];
	struct stat info;
	own_fd fd = -1;

	*ret_error = read_path(caller, address, path);
	if (*ret_error == 0)
		*ret_error = make_absolute(caller->tid, path, whole);
	if (*ret_error != 0)
		return PROGRAM_MISSING;
	fd = open_program(caller->tid, whole);
	if (fd < 0 || fstat(fd, &info) != 0) {
		*ret_error = errno;
		return PROGRAM_MISSING;
	}
	return is_same_disk(caller->tid, ROOT_WORKSPACE, info.st_dev) ||
			       is_same_disk(caller->tid, ROOT_TMP, info.st_dev)
		       ? PROGRAM_OWN
		       : PROGRAM_INSTALLED;
}

static void read_program(struct caller *caller, struct reading *reading)
{
	const __u64 *args = reading->call.data.args;

	read_string(caller, args[0], reading->event.target, sizeof(reading->event.target));
	put_argv(caller, args[1], &reading->event);
	reading->program = find_program(caller, args[0], &reading->error);
}

void decode_read(struct reading *reading)
{
	struct caller caller = {.tid = (pid_t)reading->call.pid, .memory_fd = -1};

	if (reading->is_program)
		read_program(&caller, reading);
	else
		put_arguments(&caller, &reading->call.data, &reading->event);
	reading->is_by_value = !caller.has_read;
	read_ids(&caller, &reading->event);
	fd_drop(&caller.memory_fd);
}
