/*
 * sandbox/runtimes/python/fork_hooks.h - what modules of the zygote want done around a fork,
 * where that is for the forks of a job and not for ours: locks that nobody holds, a generator
 * that the worker makes anew anyway.
 *
 * They are registered in the zygote, each kind as one function of C that does nothing before
 * the process is a worker: to register them in each worker would copy ten pages there.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_FORK_HOOKS_H
#define SANDBOX_RUNTIMES_PYTHON_FORK_HOOKS_H

#include <Python.h>

/* What os.register_at_fork() takes; new references. In the order of its three lists: before a
 * fork, after it in the parent, after it in the child. NULL: a Python exception is pending. */
PyObject *fork_hooks_functions(void);

/* The hooks behind those functions: three tuples, each in the order in which they are called.
 * -1: a Python exception is pending. */
int fork_hooks_keep(PyObject *tuples);

/* From now on a fork is a job's. */
void fork_hooks_open(void);

#endif
