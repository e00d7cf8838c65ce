import ctypes, errno, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def syscall(number, *arguments):
    """The raw call: a result, or a negative errno."""
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[
        ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    return result if result != -1 else -ctypes.get_errno()
def name(result):
    return errno.errorcode.get(-result, str(result)) if result < 0 else str(result)
def held(what):
    print("HELD", what); sys.stdout.flush(); os._exit(0)
def escaped(what):
    print("ESCAPED", what); sys.stdout.flush(); os._exit(0)
def refused(number, *arguments):
    """Held only if the filter itself answered: the kernel's own refusals do not count."""
    result = syscall(number, *arguments)
    (held if result in (-errno.EPERM, -errno.ENOSYS, -errno.EAFNOSUPPORT, -errno.EACCES)
     else escaped)(name(result))
def listed(folder):
    """What is in it, or the word for why that is not told."""
    try: return sorted(os.listdir(folder))
    except OSError as error: return [errno.errorcode[error.errno]]
def expect_error(call):
    try:
        got = call()
    except OSError as error:
        held(errno.errorcode.get(error.errno, error))
    except Exception as error:
        held(repr(error))
    escaped(repr(got)[:200])
