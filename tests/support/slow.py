"""How much more time than on an ordinary machine everything may take: sanitizers cost some, an
emulated processor (tests/support/vm.sh sets SLOW) more. Only waits are scaled, never what is
asserted of a limit."""

import os

VARIANT = os.environ.get("VARIANT", "release")
SLOW = int(os.environ.get("SLOW", 1))
if VARIANT in ("asan", "tsan", "ubsan", "coverage"):
    SLOW *= 4
