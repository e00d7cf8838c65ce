"""with_profile.py PROFILE ROOT UID WRITABLE COMMAND...: runs a command as an engine's container.

What Docker, Podman and the kubelet do for an unprivileged container with a read-only root: own
mounts with ROOT as root (pivot_root, because the kernel makes no user namespace in a chroot), a
masked /proc, a small /dev, a read-only /sys, UID without any capability, no_new_privs, and the
seccomp profile in its JSON form. WRITABLE is the one folder of ROOT that stays writable. Run it as
first process of a pid namespace (unshare --pid --fork); every mount goes away with it.
"""

import ctypes
import errno
import json
import os
import sys

import seccomp

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP = 0x20000, 0x8000000, 0x4000000, 0x2000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 32, 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}[os.uname().machine]
DEVICES = ["null", "zero", "full", "random", "urandom", "tty"]
MASKED = ["kcore", "keys", "timer_list", "latency_stats"]
READ_ONLY = ["bus", "fs", "irq", "sys", "sysrq-trigger"]


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind=None, flags=0, options=None):
    encoded = [text and str(text).encode() for text in (source, target, kind, options)]
    check(LIBC.mount(encoded[0], encoded[1], encoded[2], ctypes.c_ulong(flags), encoded[3]),
          f"mount {target}")


def bind(source, target, flags=0):
    mount(source, target, None, MS_BIND)
    if flags:
        mount(None, target, None, MS_BIND | MS_REMOUNT | flags)


def build_root(root, writable):
    check(LIBC.unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP), "unshare")
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    bind(root, root, MS_RDONLY)
    bind(root + writable, root + writable, MS_NOSUID | MS_NODEV)
    mount("proc", f"{root}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    mount("sysfs", f"{root}/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY)
    mount("tmpfs", f"{root}/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=16m")
    mount("tmpfs", f"{root}/dev", "tmpfs", MS_NOSUID, "mode=755,size=64k")
    for name in DEVICES:
        open(f"{root}/dev/{name}", "w").close()
        bind(f"/dev/{name}", f"{root}/dev/{name}")
    for name in filter(lambda name: os.path.exists(f"{root}/proc/{name}"), MASKED):
        bind("/dev/null", f"{root}/proc/{name}")
    for name in filter(lambda name: os.path.exists(f"{root}/proc/{name}"), READ_ONLY):
        bind(f"{root}/proc/{name}", f"{root}/proc/{name}",
             MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    os.chdir(root)
    check(LIBC.syscall(SYS_PIVOT_ROOT, b".", b"."), "pivot_root")
    check(LIBC.umount2(b".", MNT_DETACH), "umount the old root")
    os.chdir(writable)


def drop_rights(uid):
    capability = 0
    while LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    with open("/proc/self/status") as status:
        held = status.read()
    for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
        assert f"Cap{kind}:\t0000000000000000" in held, held


def load_profile(profile):
    """Names that the local libseccomp does not know are skipped, as the engines do."""
    default = profile.get("defaultErrnoRet", errno.EPERM)
    loaded = seccomp.SyscallFilter(defaction=seccomp.ERRNO(default))
    for rule in profile["syscalls"]:
        allow = rule["action"] == "SCMP_ACT_ALLOW"
        action = seccomp.ALLOW if allow else seccomp.ERRNO(rule.get("errnoRet", errno.EPERM))
        for name in rule["names"]:
            try:
                loaded.add_rule(action, name)
            except (RuntimeError, OSError):
                continue
    loaded.load()
    with open("/proc/self/status") as status:
        assert "\nSeccomp:\t2\n" in status.read(), "no filter is in force"


if __name__ == "__main__":
    with open(sys.argv[1]) as source:
        wanted = json.load(source)
    build_root(os.path.realpath(sys.argv[2]), sys.argv[4])
    drop_rights(int(sys.argv[3]))
    load_profile(wanted)
    os.execve(sys.argv[5], sys.argv[5:], {"PATH": "/usr/bin:/bin", "HOME": sys.argv[4]})
