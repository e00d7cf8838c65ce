"""Makes system calls of one process of the service fail; the other half of faults.c.

    faults = Faults(folder)
    Ledger(...).start(environment=faults.environment())
    faults.arm("sync", 2, errno.EIO)     # the second sync from now fails, once
    ... faults.hits, faults.unsynced ...
"""

import mmap
import os
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "build" / os.environ.get("VARIANT", "release") / "tests" / "faults.so"
KINDS = {"none": 0, "write": 1, "short write": 2, "sync": 3, "map": 4}


class Faults:
    def __init__(self, folder):
        assert LIBRARY.exists(), "`make unit-binaries` builds it"
        self.path = Path(folder) / "faults"
        self.path.write_bytes(bytes(4096))
        self.path.chmod(0o666)
        with open(self.path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)

    def environment(self):
        return {"LD_PRELOAD": str(LIBRARY), "CASEMATE_TEST_FAULTS": str(self.path)}

    def arm(self, kind, countdown, error, is_lasting=False):
        struct.pack_into("<5I", self.page, 0, 0, countdown, error, is_lasting, 0)
        struct.pack_into("<I", self.page, 0, KINDS[kind])

    def disarm(self):
        self.arm("none", 0, 0)

    @property
    def hits(self):
        return struct.unpack_from("<I", self.page, 16)[0]

    @property
    def unsynced(self):
        """Writes that no good sync has followed."""
        return struct.unpack_from("<I", self.page, 20)[0]
