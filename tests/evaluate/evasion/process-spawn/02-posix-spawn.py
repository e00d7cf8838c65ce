from os import posix_spawn as start, environ, waitpid

child = start("/usr/bin/id", ["id"], environ)
waitpid(child, 0)
