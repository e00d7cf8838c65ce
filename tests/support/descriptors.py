"""How many descriptors a process of the service holds.

None of them is dumpable, so /proc/PID/fd is root's (proc(5)). For an ordinary user each count is 0;
that no descriptor is left behind is seen by the same tests when root runs them.
"""

import os


CAN_COUNT = os.geteuid() == 0


def count_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd")) if CAN_COUNT else 0
