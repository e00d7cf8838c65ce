"""What casemate-python does in Python itself. Embedded into the binary; runs in the zygote.

The zygote and its workers call the functions below; a job's code never runs below a frame of
this file, so tracebacks and sys._getframe() look as they do under plain python3. After a job has
run nothing here may be trusted: the job may have patched any module. It can only spoil its own
report that way.
"""

import atexit
import os

# Hooks that modules register while the zygote imports them; see finish().
_at_fork = []
_at_exit = []
_register_at_fork = os.register_at_fork
_register_at_exit = atexit.register


def _remember_at_fork(**hooks):
    _at_fork.append(hooks)


def _remember_at_exit(function, *args, **kwargs):
    _at_exit.append((function, args, kwargs))
    return function


os.register_at_fork = _remember_at_fork
atexit.register = _remember_at_exit

# ruff: noqa: E402 - imports register hooks, so they come after the lines above.
# Each job writes to its table. First, so that this lies beside what else a job writes to: a large
# page that a worker writes to in one place only costs it as much as ten small ones.
import linecache

import _random
import _thread
import asyncio
import gc
import importlib
import importlib.machinery
import io
import json
import logging
import mmap
import random
import resource
import struct
import sys
import threading
import time
import traceback
import types
import warnings

# Bound early: a job that patches the json module must not turn its report into invalid JSON.
_quote = json.encoder.encode_basestring

_HERE = __file__
_NAME = "main.py"
_WORKSPACE = "/workspace"
_CELL_NATIVE_ID = 2  # a worker is pid 2 of its cell

# A notebook cell is not a megabyte long: above this the source is compiled in one piece, without
# a value for its last expression, because syntax trees of Python objects cost 100 times the text.
_TREE_CHARS_MAX = 256 * 1024

_MESSAGE_CHARS = 4096
_TRACEBACK_CHARS = 16384

_ONLY_AST = 0x400
_TOP_LEVEL_AWAIT = 0x2000
_FUTURES = 0x1FF0000  # CO_FUTURE_*: an expression keeps what `from __future__` said above it
_CO_COROUTINE = 0x80

_ENVIRONMENT = {
    "HOME": _WORKSPACE,
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "TMPDIR": "/tmp",
    # Caches are no results: fontconfig would leave its own in the workspace.
    "XDG_CACHE_HOME": "/tmp",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": "/tmp",
    # Debian's matplotlib looks in /etc, which the root does not have.
    "MATPLOTLIBRC": "/usr/share/matplotlib/mpl-data",
}

# What a module needs to work without a user's environment, set while it is imported only.
_IMPORT_ENVIRONMENT = {
    # A zygote with threads cannot fork: numpy's BLAS must not start any.
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "BLIS_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
}

_first_streams = []  # kept, so that they leave no gaps among the zygote's objects
_reserve = None  # memory given back when the job has used up its own; see explain()
_runner = None  # event loop for top-level await
_known = frozenset()  # modules the zygote had imported
_handlers_known = 0  # log handlers that the zygote's modules have made
_thread_exits_known = 0  # what they want to be called when all threads have ended


# --- zygote ---------------------------------------------------------------------------------


def preload(names):
    """Imports a comma-separated list; returns ("name version,...", "missing name,...")."""
    global _known
    os.environ.clear()
    os.environ.update(_ENVIRONMENT)
    os.environ.update(_IMPORT_ENVIRONMENT)
    loaded = []
    missing = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in filter(None, (part.strip() for part in names.split(","))):
            try:
                module = importlib.import_module(name)
            except Exception as error:
                missing.append(f"{name} ({type(error).__name__})")
                continue
            version = getattr(module, "__version__", None)
            has_version = isinstance(version, str) and "." not in name
            loaded.append(f"{name} {version}" if has_version else name)
    for name in _IMPORT_ENVIRONMENT:
        del os.environ[name]
    _prepare_numpy()
    _known = frozenset(sys.modules)
    return ",".join(loaded), ",".join(missing)


# The largest buffer of OpenBLAS: 32 to 128 MiB, by processor.
_BLAS_BYTES = 128 << 20


def _claim_blas(numpy):
    """OpenBLAS maps its one buffer at the first product of matrices and keeps it. Refused, it asks
    again for ever: where a limit counts address space, a job would hang until its wall time."""
    matrix = numpy.ones((128, 128))
    numpy.dot(matrix, matrix)


def _prepare_numpy():
    """In the zygote the buffer is part of what all workers have, and no limit counts it."""
    if "numpy" in sys.modules:
        _claim_blas(sys.modules["numpy"])
    else:
        sys.meta_path.insert(0, _NumpyFinder)


class _NumpyFinder:
    """Looks after a numpy that is not preloaded, when a job imports it."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "numpy":
            return None
        sys.meta_path.remove(_NumpyFinder)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        loader = getattr(spec, "loader", None)
        if loader is not None:
            loader.exec_module = lambda module: _exec_numpy(loader, module)
        return spec


def _exec_numpy(loader, module):
    del loader.exec_module
    # A thread for each processor would have a buffer and a stack each, taken at once.
    added = [name for name in _IMPORT_ENVIRONMENT if name not in os.environ]
    os.environ.update((name, _IMPORT_ENVIRONMENT[name]) for name in added)
    try:
        loader.exec_module(module)
    finally:
        for name in added:
            os.environ.pop(name, None)
    if resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY:
        return
    try:
        mmap.mmap(-1, _BLAS_BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError:
        raise MemoryError("numpy's linear algebra needs 128 MiB of address space") from None
    _claim_blas(module)


def _warm_pandas():
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return
    frame = pandas.DataFrame({"a": [1, 2, 3], "b": [1.5, 2.5, 3.5], "c": ["x", "y", "x"]})
    repr(frame)
    repr(frame.sum())
    frame.groupby("c")["a"].mean()
    frame[frame["a"] > 1].describe()


def _warm_library():
    json.loads(json.dumps({"a": [1, 2.5, None, True, "x"]}))
    try:
        raise ValueError("rehearsal")
    except ValueError as error:
        _format(error)
    datetime = sys.modules.get("datetime")
    if datetime is not None:
        datetime.datetime.now().isoformat()
    "{:>10.2f}".format(3.14159)


def _numpy_state():
    """Address of the state of numpy's global generator (Mersenne Twister: 624 words, a position),
    which workers overwrite with fresh words: numpy's own seed() runs so much Python that it would
    copy 170 pages in each of them. 0 when there is no such state where we think; None without
    numpy."""
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is None:
        return None
    try:
        import ctypes

        generator = numpy_random.get_bit_generator()
        address = generator.ctypes.state_address
        words = (ctypes.c_uint32 * 625).from_address(address)[:]
        state = generator.state["state"]
        if words == [*state["key"].tolist(), state["pos"]]:
            return address
    except Exception:
        pass
    return 0


def _thread_exits():
    return len(getattr(threading, "_threading_atexits", ()))


# What these three do after a fork is wanted when a job forks, not when the zygote does: it has
# one thread and holds no lock, and a worker's random is made anew without all the Python of its
# seed().
_NOT_FOR_WORKERS = ("threading", "logging", "random")


def _module_of(hook):
    return getattr(hook, "__module__", None)


def _times():
    """os.times(). The kernel's own call says how long the host has been up and is refused."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return os.times_result((own.ru_utime, own.ru_stime, children.ru_utime, children.ru_stime,
                            time.monotonic()))


def _prepare_worker():
    """What is the same in all workers is done once."""
    global _handlers_known, _reserve, _thread_exits_known
    os.times = _times
    # Address space only, which is what a limit counts: no page of it is touched. Private, or all
    # workers would share it.
    _reserve = mmap.mmap(-1, 512 * 1024, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    _handlers_known = len(logging._handlerList)
    _thread_exits_known = _thread_exits()


def settle():
    """Everything alive becomes permanent."""
    global _known
    _warm_library()
    _warm_pandas()
    if sys.version_info < (3, 13):
        threading.excepthook = threading.__excepthook__ = _thread_excepthook
    _prepare_worker()
    _known = frozenset(sys.modules)
    gc.collect()
    gc.collect()
    # Frozen objects are not visited by collections: a job's first one would otherwise write to
    # the header of every object the zygote ever made, and copy all those pages.
    gc.freeze()


def _renew_authkey():
    """multiprocessing's secret, or None."""
    process = sys.modules.get("multiprocessing.process")
    if process is None:
        return None
    process.current_process().authkey = os.urandom(32)
    return process.current_process().authkey


def _renew_numpy():
    """A new generator behind numpy's global functions, where numpy (1.24) can change it."""
    numpy_random = sys.modules.get("numpy.random")
    change = getattr(numpy_random, "set_bit_generator", None)
    if change is not None:
        change(numpy_random.MT19937())


def find_secrets():
    """What each worker overwrites: the bytes of multiprocessing's key, or None, the generator of
    random with its state, numpy's state. Those that can be are made anew, because what is made now
    lies beside what else a worker writes to."""
    _renew_numpy()
    return _renew_authkey(), random._inst, random._inst.getstate()[1], _numpy_state()


def _add_fork_hooks(add):
    """`add` stands for those that are for the forks of jobs only (fork_hooks.h); they come last.
    Returns them, in the order in which they are called before a fork, after it in the parent, and
    in the child."""
    for_jobs = []
    for hooks in _at_fork:
        if all(_module_of(hook) in _NOT_FOR_WORKERS for hook in hooks.values()):
            for_jobs.append(hooks)
        else:
            _register_at_fork(**hooks)
    before, parent, child = add
    _register_at_fork(before=before, after_in_parent=parent, after_in_child=child)
    return tuple(
        tuple(hooks[kind] for hooks in order if kind in hooks)
        for kind, order in (("before", for_jobs[::-1]), ("after_in_parent", for_jobs),
                            ("after_in_child", for_jobs))
    )


def finish(add):
    """The last thing before forks begin, after the practice, for which the zygote is no worker.

    Modules' hooks are as they would be under python3, but for those whose work in each worker is
    known to be none: they touch hundreds of pages, which the kernel then has to copy."""
    sys.argv = [_NAME]
    # What it will be in a cell; the zygote's would tell a number of the host.
    threading.main_thread()._native_id = _CELL_NATIVE_ID
    sys.path.insert(0, _WORKSPACE)
    sys.path_importer_cache.pop(_WORKSPACE, None)
    os.register_at_fork = _register_at_fork
    atexit.register = _register_at_exit
    for_jobs = _add_fork_hooks(add)
    _at_fork.clear()
    for function, args, kwargs in _at_exit:
        if function is not logging.shutdown:  # see stop()
            _register_at_exit(function, *args, **kwargs)
    _at_exit.clear()
    linecache.clearcache()
    gc.freeze()
    return for_jobs


def version():
    return "%d.%d.%d" % sys.version_info[:3]


# --- worker, before its job -----------------------------------------------------------------


def _writer(fd, name, errors):
    raw = io.FileIO(fd, "w", closefd=False)
    raw.name = name
    # Line-buffered, as on a terminal: what a job printed before it is killed is not lost, and a
    # print() is one write(2).
    text = io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", errors, "\n", True)
    text.mode = "w"
    return text


def _reader(fd, name):
    raw = io.FileIO(fd, "r", closefd=False)
    raw.name = name
    text = io.TextIOWrapper(io.BufferedReader(raw), "utf-8", "surrogateescape")
    text.mode = "r"
    return text


def open_streams():
    """The streams of workers, made once. They remember what kind of file they saw: a pipe."""
    _first_streams.extend((sys.stdin, sys.stdout, sys.stderr))
    ends = os.pipe()
    saved = [os.dup(fd) for fd in (1, 2)]
    for fd in (1, 2):
        os.dup2(ends[1], fd)
    sys.stdin = sys.__stdin__ = _reader(0, "<stdin>")
    sys.stdout = sys.__stdout__ = _writer(1, "<stdout>", "surrogateescape")
    sys.stderr = sys.__stderr__ = _writer(2, "<stderr>", "backslashreplace")
    for fd, before in zip((1, 2), saved):
        os.dup2(before, fd)
        os.close(before)
    os.close(ends[0])
    os.close(ends[1])


def enter(is_random_fresh, is_numpy_fresh):
    """Makes anew what could not be overwritten where it lies. Not called where that is nothing."""
    if not is_random_fresh:
        _random.Random.seed(random._inst)
    threading.main_thread()._native_id = _thread.get_native_id()
    if not is_numpy_fresh:
        sys.modules["numpy.random"].seed(struct.unpack("8I", os.urandom(32)))


def fresh_main():
    """A new, empty __main__; returns its namespace."""
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__builtins__ = sys.modules["builtins"]
    main.__file__ = _NAME
    return main.__dict__


# --- the job --------------------------------------------------------------------------------


def prepare(arguments, variables):
    """Not called for a job without either in /workspace."""
    sys.argv = [_NAME, *arguments]
    folder = os.getcwd()
    if folder != _WORKSPACE and _WORKSPACE in sys.path:  # no cell, a folder of the host
        sys.path[sys.path.index(_WORKSPACE)] = folder
    if variables:
        os.environ.update(variables)
        if "TZ" in variables:
            time.tzset()


def compile_job(source):
    """-> (body, expression): code objects, or None where there is nothing to run. For what is not
    seen to end with an expression on a line of its own (source.h)."""
    if len(source) > _TREE_CHARS_MAX:
        return compile(source, _NAME, "exec", _TOP_LEVEL_AWAIT, True), None
    try:
        return _compile_tree(source)
    except RecursionError:
        # Too deep for a tree of objects, perhaps not for the compiler itself.
        return compile(source, _NAME, "exec", _TOP_LEVEL_AWAIT, True), None


def _compile_tree(source):
    tree = compile(source, _NAME, "exec", _ONLY_AST | _TOP_LEVEL_AWAIT, True)
    last = tree.body[-1] if tree.body else None
    if type(last).__name__ != "Expr":
        return compile(tree, _NAME, "exec", _TOP_LEVEL_AWAIT, True), None
    body = None
    flags = _TOP_LEVEL_AWAIT
    del tree.body[-1]
    if tree.body:
        body = compile(tree, _NAME, "exec", flags, True)
        flags |= body.co_flags & _FUTURES
    return body, compile(_Expression(last.value), _NAME, "eval", flags, True)


def drive(coroutine):
    """Runs what a top-level await made of the code; one loop for the whole job."""
    global _runner
    if _runner is None:
        _runner = asyncio.Runner()
    return _runner.run(coroutine)


def _own_frames_end(trace):
    """The traceback without the frames that lead to the job's own code."""
    while trace is not None and trace.tb_frame.f_code.co_filename != _NAME:
        trace = trace.tb_next
    return trace


def _format(error):
    lines = traceback.TracebackException(
        type(error), error, error.__traceback__, compact=True
    ).format()
    return "".join(lines)


def _clean(text, limit):
    """Valid UTF-8 without NUL, at most `limit` characters; works on hostile subclasses of str."""
    text = str.__getitem__(text, slice(0, limit + 1))
    text = text.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")
    return text if len(text) <= limit else text[: limit - 1] + "\u2026"


def _clean_traceback(text):
    if len(text) > _TRACEBACK_CHARS:
        half = _TRACEBACK_CHARS // 2 - 16
        text = text[:half] + "\n  [...]\n" + text[-half:]
    return _clean(text, _TRACEBACK_CHARS)


def report_result(text, chars_max, bytes_max):
    while True:
        data = ('{"error":null,"result":%s}' % _quote(_clean(text, chars_max))).encode()
        if len(data) <= bytes_max:
            return data
        chars_max //= 2


def _report_error(name, message, trace, bytes_max):
    while True:
        data = (
            '{"error":{"name":%s,"message":%s,"traceback":%s},"result":null}'
            % (_quote(name), _quote(message), _quote(trace))
        ).encode()
        if len(data) <= bytes_max:
            return data
        name = name[:256]
        message = message[: len(message) // 2]
        trace = trace[len(trace) // 2 :]


def _exit_status(error):
    """As the interpreter itself treats SystemExit."""
    code = error.code
    if code is None:
        return 0
    if isinstance(code, int):
        return int(code) & 0xFF
    try:
        print(code, file=sys.stderr)
    except Exception:
        pass
    return 1


def _show(error, text):
    hook = sys.excepthook
    if hook is sys.__excepthook__:
        # The built-in hook of 3.11 looks for source lines in files only.
        if sys.stderr is not None:
            sys.stderr.write(text)
            sys.stderr.flush()
        return
    try:
        hook(type(error), error, error.__traceback__)
    except BaseException:
        sys.__excepthook__(*sys.exc_info())


def _message(error):
    try:
        return _clean(str(error), _MESSAGE_CHARS)
    except BaseException:
        return "<exception str() failed>"


def explain(error, bytes_max):
    """An uncaught exception -> (exit status, report or None, is out of memory, is interrupt)."""
    global _reserve
    if isinstance(error, SystemExit):
        return _exit_status(error), None, False, False
    is_memory = isinstance(error, MemoryError)
    _reserve = None
    error.__traceback__ = _own_frames_end(error.__traceback__)
    name = type(error).__name__
    try:
        text = _format(error)
    except BaseException:
        text = f"{name}\n"
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
    sys.last_exc = error
    try:
        _show(error, text)
    except BaseException:
        pass
    report = _report_error(_clean(name, 256), _message(error), _clean_traceback(text), bytes_max)
    return 1, report, is_memory, isinstance(error, KeyboardInterrupt)


def _thread_excepthook(args):
    """threading.excepthook before 3.13, with the source lines of the job's own code."""
    if args.exc_type is SystemExit or sys.stderr is None:
        return
    name = args.thread.name if args.thread is not None else threading.get_ident()
    lines = traceback.format_exception(args.exc_type, args.exc_value, args.exc_traceback)
    sys.stderr.write(f"Exception in thread {name}:\n" + "".join(lines))
    sys.stderr.flush()


# --- the end --------------------------------------------------------------------------------


def flush(stream):
    try:
        if stream is not None and not stream.closed:
            stream.flush()
    except BaseException:
        return False
    return True


def drop_modules():
    """Lets go of __main__ and of what the job imported, newest first."""
    if "last_value" in sys.__dict__:
        sys.last_type = sys.last_value = sys.last_traceback = sys.last_exc = None
    modules = sys.modules
    modules["__main__"] = None  # as the interpreter does; its place in the table stays
    while modules and next(reversed(modules)) not in _known:
        modules.popitem()


def stop():
    """First half of what the interpreter does at exit; the job's globals are still there."""
    global _runner
    if _runner is not None:
        _runner.close()
        _runner = None
    # Without a thread these have nothing to wait for.
    if _thread._count() > 0 or _thread_exits() != _thread_exits_known:
        threading._shutdown()
    atexit._run_exitfuncs()
    if len(logging._handlerList) != _handlers_known:
        logging.shutdown()
    # A daemon thread that still runs would see its globals vanish and complain about it; the
    # interpreter itself freezes such threads.
    return _thread._count() == 0


def is_written():
    """Returns False if output was lost."""
    is_whole = flush(sys.stdout)
    return flush(sys.stderr) and is_whole


objects = gc.get_objects
_Expression = type(compile("0", _NAME, "eval", _ONLY_AST))
