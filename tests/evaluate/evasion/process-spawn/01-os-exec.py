import os

arguments = ["/bin/ls", "-l"]
os.execv(arguments[0], arguments)
