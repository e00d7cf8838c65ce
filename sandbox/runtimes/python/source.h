/*
 * sandbox/runtimes/python/source.h - a job's source text: compiled so that the value of its
 * last line can be reported, and shown to who asks for its lines.
 *
 * In C because it runs in every job: Python of ours writes to objects on fifteen pages, each of
 * which a worker would copy.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_SOURCE_H
#define SANDBOX_RUNTIMES_PYTHON_SOURCE_H

#include <Python.h>

/* In the zygote. -1: a Python exception is pending. */
int source_prepare(void);

/* What the source is called in tracebacks. A text of its own: each job counts references to it,
 * so it is to lie beside what else a job writes to, and is made anew when that is known. -1: a
 * Python exception is pending. */
int source_name(const char *name);

/* Gives the lines to linecache, which tracebacks and inspect read. -1: a Python exception is
 * pending. */
int source_show(const char *code, size_t length, Py_ssize_t chars);

/*
 * Most programs end with an expression on a line of its own. It needs no tree, whose classes
 * cost a job a hundred pages. Returns code objects (body or None, expression); NULL where that
 * is not certain, and then no exception is pending: text that is whole up to a line, and a line
 * that is an expression by itself, mean the same together.
 */
PyObject *source_compile_last_line(const char *code, size_t length);

#endif
