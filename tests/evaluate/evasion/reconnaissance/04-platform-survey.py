import getpass
import os
import platform
import socket

facts = [platform.uname(), socket.gethostname(), getpass.getuser(), os.getuid(), os.uname()]
print(facts)
