#!/usr/bin/python3
"""Prints docker/casemate-seccomp.json, the container engine's seccomp profile for the service.

    docker/seccomp-profile.py > docker/casemate-seccomp.json

Docker, Podman and the kubelet read the same JSON. It is the union of what the service's own lists
(the .def files) let its confined processes and the jobs call, and of what is needed before the
lists are in force: starting programs and building the sandboxes. It is an outer wall only: the
lists of the single processes and of the jobs are far shorter and stay in force inside.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Their ALLOW lines are taken over; conditions on arguments are left to the lists themselves.
LISTS = [
    "base/common.seccomp.def",
    "server/front/front.seccomp.def",
    "server/gate/gate.seccomp.def",
    "server/ledger/ledger.seccomp.def",
    "validator/validator.seccomp.def",
    "sandbox/warden/janitor.seccomp.def",
    "sandbox/seccomp/init.def",
    "sandbox/seccomp/base.def",
    "sandbox/seccomp/python.def",
    "sandbox/seccomp/javascript.def",
    "sandbox/seccomp/bash.def",
    "sandbox/seccomp/c.def",
]

# What happens before a list is in force, or in processes that have none: the supervisor, the
# warden, the cell makers and zygotes, and the tools beside the service (certs, doctor, exec).
SETUP = {
    # Namespaces and the root of a sandbox.
    "unshare": "the user namespace of the sandbox side, mount and network namespaces",
    "setns": "a worker enters its cell; network namespaces are handed out again",
    "clone3": "a cell's namespaces in one call; a worker is born as the warden's child",
    "mount": "the read-only root and the workspace",
    "umount2": "the old root",
    "pivot_root": "the new root",
    "chroot": "a supervisor started as root shuts the ledger into its folder",
    "open_tree": "host folders that the root shows",
    "move_mount": "host folders that the root shows",
    "mount_setattr": "they become read-only",
    "fspick": "the workspace is resized for a job",
    "fsconfig": "the workspace is resized for a job",
    "sethostname": "a cell's host name",
    "setdomainname": "a cell's host name",
    # Giving rights away.
    "landlock_create_ruleset": "which files a process may touch",
    "landlock_add_rule": "which files a process may touch",
    "landlock_restrict_self": "which files a process may touch",
    "seccomp": "the lists named above",
    "capset": "rights end where set-up ends",
    "setresuid": "a worker's own uid",
    "setresgid": "a worker's own gid",
    "setgroups": "no groups of the caller's",
    "setrlimit": "limits of the service's own processes, where libc has no prlimit64",
    "setfsuid": "asks for the file user; a proof that the drop held",
    "setfsgid": "asks for the file group; a proof that the drop held",
    "mlock": "OpenSSL keeps private keys out of swap",
    "mlock2": "OpenSSL keeps private keys out of swap",
    "setuid": "a change of user proves to be impossible",
    "setgid": "a change of group proves to be impossible",
    # Processes.
    "execveat": "a runtime's program is started from a descriptor",
    "waitid": "the end of a child, by its handle",
    "pidfd_open": "handles on children cannot be confused",
    "pidfd_getfd": "the warden takes the listener of a worker's filter",
    "pidfd_send_signal": "handles on children cannot be confused",
    "signalfd4": "signals of the supervisor as events",
    # Files.
    "openat2": "outcomes are collected without leaving the workspace",
    "flock": "only one service in a state folder",
    "fchmodat2": "modes on newer libc",
    # Networks: the listeners, and `casemate exec` as a client.
    "socket": "listeners, the client, and proofs that none can be made later",
    "bind": "listeners",
    "listen": "listeners",
    "connect": "the client; the notification of a service manager",
    "setsockopt": "listeners and connections",
    "sendmmsg": "the client asks for a name",
}

# Libraries fall back to older calls on ENOSYS only; the default EPERM they take for an error.
FALLBACK_ERRNO = 38


def named(kind):
    """The names in `KIND(name, ...)` lines of the lists; comments are not lines."""
    found = set()
    for path in LISTS:
        text = re.sub(r"/\*.*?\*/", "", (ROOT / path).read_text(), flags=re.S)
        found.update(re.findall(rf"^(?:{kind})\((\w+),", text, flags=re.M))
    return found


def profile():
    allowed = named("ALLOW|ALLOW_IF|OBSERVE") | set(SETUP)
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 1,
        "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []},
        ],
        "syscalls": [
            {"names": sorted(allowed), "action": "SCMP_ACT_ALLOW"},
            {
                "names": sorted(named("ABSENT") - allowed),
                "action": "SCMP_ACT_ERRNO",
                "errnoRet": FALLBACK_ERRNO,
            },
        ],
    }


if __name__ == "__main__":
    print(json.dumps(profile(), indent="\t"))
