"""with_profile.py PROFILE COMMAND...: runs a command under a container engine's seccomp profile.

Reads the JSON form that Docker, Podman and the kubelet share and loads it as they would, with
no_new_privs left to the command. Names the local libseccomp does not know are skipped, as the
engines do.
"""

import errno
import json
import os
import sys

import seccomp

ACTIONS = {"SCMP_ACT_ALLOW": seccomp.ALLOW}


def load(path):
    profile = json.load(open(path))
    default = profile.get("defaultErrnoRet", errno.EPERM)
    loaded = seccomp.SyscallFilter(defaction=seccomp.ERRNO(default))
    for rule in profile["syscalls"]:
        action = ACTIONS.get(rule["action"]) or seccomp.ERRNO(rule.get("errnoRet", errno.EPERM))
        for name in rule["names"]:
            try:
                loaded.add_rule(action, name)
            except (RuntimeError, OSError):
                continue
    loaded.set_attr(seccomp.Attr.CTL_NNP, 0)
    loaded.load()


if __name__ == "__main__":
    load(sys.argv[1])
    os.execvp(sys.argv[2], sys.argv[2:])
