"""What an attacker with a valid certificate would try, as jobs.

A probe is code that runs inside a job and prints one line: `HELD <what it saw>` or
`ESCAPED <what it got>`. `layers` names the layers that stop it: with exactly those switched off
(test builds only) the same code must print ESCAPED, or it proves nothing. Placeholders in braces
are filled with host facts: {canary} a world-readable file, {drop} a world-writable folder, {port}
a TCP listener on 127.0.0.1, {victim} the pid of a process of the host that has the user a job
would have without a uid of its own.

`before` runs as an earlier job, `beside` as a job that is still there. `needs` names the one layer
that an ordinary user may not have: without it the attack may succeed, but then the execution's
`isolation` must not claim the layer either.
"""

from collections import namedtuple

Probe = namedtuple("Probe", "id family layers code limits before beside needs")

# Helpers every probe may use. `expect_error` is the usual shape: the attack must fail.
PRELUDE = r'''
import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def syscall(number, *arguments):
    """The raw call: a result, or a negative errno."""
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[
        ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    return result if result != -1 else -ctypes.get_errno()
def name(result):
    return errno.errorcode.get(-result, str(result)) if result < 0 else str(result)
def held(what):
    print("HELD", what); sys.stdout.flush(); os._exit(0)
def escaped(what):
    print("ESCAPED", what); sys.stdout.flush(); os._exit(0)
def refused(number, *arguments):
    """Held only if the filter itself answered: the kernel's own refusals do not count."""
    result = syscall(number, *arguments)
    (held if result in (-errno.EPERM, -errno.ENOSYS, -errno.EAFNOSUPPORT, -errno.EACCES)
     else escaped)(name(result))
def expect_error(call):
    try:
        got = call()
    except OSError as error:
        held(errno.errorcode.get(error.errno, error))
    except Exception as error:
        held(repr(error))
    escaped(repr(got)[:200])
'''

PROBES = []


def probe(identifier, family, layers, code, limits=None, before=None, beside=None, needs=None):
    PROBES.append(Probe(identifier, family, frozenset(layers.split()), code, limits, before, beside,
                        needs))


# --- files -------------------------------------------------------------------------------

FILES = "minimal_root landlock"
probe("files.read_host_file", "files", FILES, "expect_error(lambda: open('{canary}').read())")
probe("files.write_host_file", "files", FILES,
      "expect_error(lambda: open('{drop}/written', 'w').write('x'))")
probe("files.create_in_host_folder", "files", FILES,
      "expect_error(lambda: os.mkdir('{drop}/made'))")
probe("files.list_host_root", "files", FILES,
      "seen = {'home', 'root', 'var', 'proc', 'sys', 'boot', 'srv'} & set(os.listdir('/'))\n"
      "(escaped if seen else held)(sorted(os.listdir('/')))")
probe("files.host_accounts", "files", FILES,
      "lines = open('/etc/passwd').read().splitlines()\n"
      "(escaped if len(lines) > 4 else held)(len(lines))")
probe("files.symlink_to_host_file", "files", FILES,
      "os.symlink('{canary}', 'link')\nexpect_error(lambda: open('link').read())")
probe("files.leave_by_dot_dot", "files", FILES,
      "expect_error(lambda: open(os.path.join('/workspace/../../../../../..', "
      "'{canary}'.lstrip('/'))).read())")
probe("files.proc_is_absent", "files", FILES,
      "expect_error(lambda: os.readlink('/proc/self'))")
probe("files.proc_of_init", "files", FILES,
      "expect_error(lambda: os.listdir('/proc/1'))")
probe("files.sys_is_absent", "files", FILES, "expect_error(lambda: os.listdir('/sys/kernel'))")
probe("files.block_devices_are_absent", "files", FILES,
      "extra = set(os.listdir('/dev')) - {'null', 'zero', 'random', 'urandom', 'shm'}\n"
      "(escaped if extra else held)(sorted(os.listdir('/dev')))")
probe("files.write_system_folder", "files", FILES,
      "def go():\n"
      "    for folder in ('/', '/usr', '/etc', '/dev', '/var/tmp', '/run/lock'):\n"
      "        path = folder + '/casemate-probe'\n"
      "        try: os.close(os.open(path, os.O_CREAT | os.O_WRONLY))\n"
      "        except OSError: continue\n"
      "        os.unlink(path); return path\n"
      "    raise OSError(errno.EROFS, 'none')\n"
      "expect_error(go)")
probe("files.system_is_read_only", "files", "minimal_root",
      "flags = [os.statvfs(path).f_flag & os.ST_RDONLY for path in ('/', '/usr', '/etc')]\n"
      "(held if all(flags) else escaped)(flags)")
probe("files.set_uid_programs_have_no_effect", "files", "minimal_root",
      "paths = ('/', '/usr', '/etc', '/workspace', '/tmp', '/dev/null')\n"
      "flags = [os.statvfs(path).f_flag & os.ST_NOSUID for path in paths]\n"
      "(held if all(flags) else escaped)(flags)")
probe("files.cgroup_tree", "files", FILES, "expect_error(lambda: os.listdir('/sys/fs/cgroup'))")
probe("files.cgroup_path", "files", FILES + " cgroup_namespace",
      "def go():\n"
      "    text = open('/proc/self/cgroup').read()\n"
      "    return [line for line in text.splitlines() if not line.endswith(':/')][0]\n"
      "expect_error(go)")
probe("files.execute_own_program", "files", "landlock denial_events",
      "import subprocess\n"
      "open('program', 'w').write('#!/bin/sh\\necho ran')\n"
      "os.chmod('program', 0o755)\n"
      "expect_error(lambda: subprocess.run(['/workspace/program'], capture_output=True).stdout)")

# --- processes ---------------------------------------------------------------------------

probe("processes.signal_host_process", "processes", "pid_namespace landlock own_uid",
      "expect_error(lambda: os.kill({victim}, 0) or 'signalled')")
probe("processes.own_pid_is_small", "processes", "pid_namespace",
      "(held if os.getpid() < 10 else escaped)(os.getpid())")
probe("processes.ptrace", "processes", "seccomp", "refused(101, 0, 0, 0, 0)")
probe("processes.read_other_memory", "processes", "seccomp",
      "refused(310, os.getpid(), 0, 0, 0, 0, 0)")
probe("processes.pidfd_open", "processes", "seccomp", "refused(434, os.getpid(), 0)")
probe("processes.kcmp", "processes", "seccomp", "refused(312, os.getpid(), os.getpid(), 0, 0, 0)")
probe("processes.capabilities_are_empty", "processes", "no_capabilities",
      "class H(ctypes.Structure): _fields_ = [('v', ctypes.c_uint32), ('p', ctypes.c_int)]\n"
      "head, data = H(0x20080522, 0), (ctypes.c_uint32 * 6)()\n"
      "result = syscall(125, ctypes.byref(head), ctypes.byref(data))\n"
      "(escaped if result or any(data) else held)(list(data))")
probe("processes.no_new_privileges", "processes", "no_new_privileges seccomp landlock",
      "value = libc.prctl(39, 0, 0, 0, 0)\n(held if value == 1 else escaped)(value)")
probe("processes.bounding_set_is_empty", "processes", "no_capabilities seccomp",
      "left = [cap for cap in range(41) if libc.prctl(23, cap, 0, 0, 0) == 1]\n"
      "(escaped if left else held)(left)")
probe("processes.mount", "processes", "seccomp no_capabilities landlock",
      "os.mkdir('m')\nrefused(165, b'none', b'/workspace/m', b'tmpfs', 0, None)")

ONE_USER = "pid_namespace landlock own_uid"
probe("processes.signal_everyone", "processes", ONE_USER,
      "expect_error(lambda: os.kill(-1, 0) or 'signalled')",
      beside="import time\ntime.sleep(1.5)")
probe("processes.parent_has_no_number", "processes", "pid_namespace",
      "(held if os.getppid() == 0 else escaped)(os.getppid())")
probe("processes.chroot", "processes", "seccomp no_capabilities", "refused(161, b'/workspace')")
probe("processes.set_host_name", "processes", "seccomp no_capabilities",
      "refused(170, b'mine', 4)")
probe("processes.change_user", "processes", "seccomp", "refused(117, 1000, 1000, 1000)")

# --- network -----------------------------------------------------------------------------

NETWORK = "seccomp network_namespace landlock"
probe("network.connect_to_host", "network", NETWORK,
      "import socket\n"
      "expect_error(lambda: socket.create_connection(('127.0.0.1', {port}), 2).getpeername())")
probe("network.udp_to_host", "network", NETWORK,
      "import socket\ns = None\n"
      "def go():\n"
      "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
      "    return s.sendto(b'x', ('127.0.0.1', {port}))\n"
      "expect_error(go)")
probe("network.listen", "network", NETWORK,
      "import socket\n"
      "def go():\n"
      "    s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); return s.getsockname()\n"
      "expect_error(go)")
for identifier, family, kind in [
    ("tcp", 2, 1), ("udp", 2, 2), ("tcp6", 10, 1), ("unix", 1, 1), ("netlink", 16, 3),
    ("raw_mptcp", 2, 1),
]:
    protocol = 262 if identifier == "raw_mptcp" else 0
    probe(f"network.socket_{identifier}", "network", "seccomp",
          f"refused(41, {family}, {kind}, {protocol})")
probe("network.interfaces", "network", NETWORK,
      "import socket\nexpect_error(lambda: [socket.socket(), "
      "[n for n in socket.if_nameindex()]][1] or 1 / 0)")

# --- kernel surface ----------------------------------------------------------------------

for identifier, number, arguments in [
    ("io_uring_setup", 425, "4, ctypes.create_string_buffer(256)"),
    ("userfaultfd", 323, "1"),
    ("keyctl", 250, "0, -3, 1"),
    ("add_key", 248, "b'user', b'k', b'v', 1, -2"),
    ("memfd_create", 319, "b'm', 0"),
    ("memfd_secret", 447, "-1"),
    ("unshare_user", 272, "0x10000000"),
    ("setns", 308, "-1, 0"),
    ("open_tree", 428, "-1, b'/nothing', 0"),
    ("name_to_handle_at", 303, "-1, b'/nothing', 0, 0, 0"),
    ("personality", 135, "0x0040000"),
    ("modify_ldt", 154, "0, 0, 0"),
    ("splice", 275, "-1, 0, -1, 0, 0, 0"),
    ("vmsplice", 278, "-1, 0, 0, 0"),
    ("tee", 276, "-1, -1, 0, 0"),
    ("io_setup", 206, "1, ctypes.byref(ctypes.c_long(0))"),
    ("inotify_init1", 294, "0"),
    ("process_madvise", 440, "-1, 0, 0, 0, 0"),
    ("semget", 64, "0x5eed, 1, 0o1600"),
    ("shmget", 29, "0x5eed, 4096, 0o1600"),
    ("msgget", 68, "0x5eed, 0o1600"),
    ("mq_open", 240, "b'queue', 0o102, 0o600, None"),
    ("seccomp", 317, "2, 0, 0"),
    ("quotactl", 179, "0, 0, 0, 0"),
    ("timer_create", 222, "0, None, ctypes.byref(ctypes.c_int(0))"),
    ("perf_event_open", 298, "0, 0, -1, -1, 0"),
    ("execveat", 322, "-1, b'', None, None, 0x1000"),
    ("pidfd_getfd", 438, "-1, 0, 0"),
    ("flock", 73, "-1, 2"),
    ("futex_requeue_pi", 202, "ctypes.byref(ctypes.c_int(0)), 12, 1, 1, None, 0"),
    ("ioctl_tiocsti", 16, "1, 0x5412, b'x'"),
    ("mbind", 237, "0, 0, 99, 0, 0, 0"),
]:
    probe(f"kernel.{identifier}", "kernel", "seccomp", f"refused({number}, {arguments})")
# Those that want a capability first: with the filter alone gone, the kernel still says EPERM.
for identifier, number, arguments in [
    ("unshare_time", 272, "0x00000080"),
    ("unshare_mount", 272, "0x00020000"),
    ("fsopen", 430, "b'nothing', 0"),
]:
    probe(f"kernel.{identifier}", "kernel", "seccomp no_capabilities",
          f"refused({number}, {arguments})")
probe("kernel.clone3_falls_back", "kernel", "seccomp",
      "result = syscall(435, 0, 0)\n(held if result == -errno.ENOSYS else escaped)(name(result))")
probe("kernel.clone_new_namespace", "kernel", "seccomp",
      "result = syscall(56, 0x10000000 | 17, 0, 0, 0, 0)\n"
      "if result == 0: os._exit(0)\n"
      "(escaped if result > 0 else held)(name(result))")
probe("kernel.x32_calls_die", "kernel", "seccomp",
      "pid = os.fork()\n"
      "if pid == 0:\n    syscall(0x40000000 + 39)\n    os._exit(0)\n"
      "status = os.waitpid(pid, 0)[1]\n"
      "(held if os.WIFSIGNALED(status) else escaped)(status)")
probe("kernel.int_0x80_dies", "kernel", "seccomp",
      "import mmap\n"
      "pid = os.fork()\n"
      "if pid == 0:\n"
      "    page = mmap.mmap(-1, 4096, prot=7)\n"
      "    page.write(b'\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3')\n"
      "    address = ctypes.addressof(ctypes.c_char.from_buffer(page))\n"
      "    ctypes.CFUNCTYPE(ctypes.c_int)(address)()\n"
      "    os._exit(0)\n"
      "status = os.waitpid(pid, 0)[1]\n"
      "(held if os.WIFSIGNALED(status) else escaped)(status)")

# --- resources ---------------------------------------------------------------------------

probe("resources.memory", "resources", "cgroup_memory rlimits",
      "block = bytearray(b'\\1') * (400 << 20)\nescaped(len(block))",
      limits={"memory_bytes": 96 << 20})
probe("resources.memory_of_all_processes", "resources", "cgroup_memory rlimits",
      "import time\n"
      "pids = []\n"
      "for _ in range(4):\n"
      "    pid = os.fork()\n"
      "    if pid == 0:\n"
      "        block = bytearray(b'\\1') * (60 << 20)\n"
      "        time.sleep(1); os._exit(7)\n"
      "    pids.append(pid)\n"
      "ends = [os.waitpid(pid, 0)[1] for pid in pids]\n"
      "(escaped if ends == [7 << 8] * 4 else held)(ends)",
      limits={"memory_bytes": 128 << 20}, needs="cgroup_memory")
probe("resources.processes", "resources", "cgroup_pids rlimits",
      "import time\n"
      "made = 0\n"
      "try:\n"
      "    while made < 60:\n"
      "        if os.fork() == 0: time.sleep(20); os._exit(0)\n"
      "        made += 1\n"
      "except OSError as error: held(made)\n"
      "escaped(made)", limits={"processes": 20})
probe("resources.open_files", "resources", "rlimits",
      "made = []\n"
      "try:\n"
      "    while len(made) < 300: made.append(os.open('/dev/null', os.O_RDONLY))\n"
      "except OSError: held(len(made))\n"
      "escaped(len(made))", limits={"open_files": 64})
probe("resources.core_file_size", "resources", "rlimits",
      "import resource\n"
      "value = resource.getrlimit(resource.RLIMIT_CORE)\n"
      "(held if max(value) <= 1 and min(value) >= 0 else escaped)(value)")
probe("resources.raise_a_limit", "resources", "rlimits",
      "import resource\n"
      "def go():\n"
      "    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
      "    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 100000), min(hard, 100000)))\n"
      "    return hard if hard > 5000 else 1 / 0\n"
      "expect_error(go)")
probe("resources.locked_memory", "resources", "rlimits seccomp",
      "import mmap\n"
      "page = mmap.mmap(-1, 4096)\n"
      "address = ctypes.addressof(ctypes.c_char.from_buffer(page))\n"
      "result = syscall(149, address, 4096)\n(escaped if result == 0 else held)(name(result))")
probe("resources.queued_signals", "resources", "rlimits",
      "import resource\n"
      "value = resource.getrlimit(11)\n"
      "(held if 0 <= max(value) <= 1024 else escaped)(value)")
probe("resources.file_size", "resources", "rlimits",
      "import signal\n"
      "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
      "def go():\n"
      "    with open('big', 'wb') as file: file.truncate(64 << 30)\n"
      "    size = os.stat('big').st_size\n"
      "    os.unlink('big')\n"
      "    return size\n"
      "expect_error(go)")

# --- between jobs: `before` runs in an earlier job that may still be there ------------------

probe("cross.files_in_tmp", "cross", FILES,
      "(escaped if os.path.exists('{drop}/mark') else held)(os.path.exists('/tmp/mark'))",
      before="open('/tmp/mark', 'w').write('x')\n"
             "try: open('{drop}/mark', 'w').write('x')\nexcept OSError: pass")
probe("cross.sysv_shared_memory", "cross", "seccomp ipc_namespace",
      "refused(29, 0x5eed1, 4096, 0)", before="syscall(29, 0x5eed1, 4096, 0o1666)")
probe("cross.file_lock_on_shared_file", "cross", "seccomp landlock",
      "import fcntl\n"
      "path = '/usr/bin/env' if os.path.exists('/usr/bin/env') else '/usr/lib/os-release'\n"
      "expect_error(lambda: fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX) or 'locked')")
probe("cross.hostname", "cross", "uts_namespace",
      "name = os.uname().nodename\n(held if name == 'casemate' else escaped)(name)")
probe("cross.own_uid_inside", "cross", "user_namespace own_uid",
      "(held if (os.getuid(), os.getgid()) == (1000, 1000) else escaped)((os.getuid(), "
      "os.getgid()))")
probe("cross.files_of_a_running_job", "cross", FILES,
      "places = ('/tmp', '/workspace', '{drop}')\n"
      "seen = [place for place in places if os.path.exists(place + '/beside')]\n"
      "(escaped if seen else held)(seen)",
      beside="import time\n"
             "for place in ('/tmp', '/workspace', '{drop}'):\n"
             "    try: open(place + '/beside', 'w').write('x')\n"
             "    except OSError: pass\n"
             "time.sleep(1.5)")
probe("cross.signal_a_running_job", "cross", ONE_USER,
      "seen = []\n"
      "for pid in range(2, 1 << 16):\n"
      "    try: os.kill(pid, 0)\n"
      "    except OSError: continue\n"
      "    if pid != os.getpid(): seen.append(pid)\n"
      "(escaped if seen else held)(seen[:8])",
      beside="import time\ntime.sleep(1.5)")
