import functools
import subprocess

shell = functools.partial(subprocess.check_output, shell=True, text=True)
tool = shell


def version(program):
    return tool("%s --version | head -n 1" % program)


print(version("git"))
