import sys

import os

posix = sys.modules["posix"]
posix.fork()
print(os.getpid())
