/*
 * sandbox/runtimes/python/asker.h - who asks for a module or a function: the caller's code, or
 * a library on its own account.
 *
 * A policy's lists speak of the code that a caller sends. A library that this code may import
 * may use what it likes: pandas needs ctypes, platform starts programs. So the frames of the
 * thread are read from the innermost outwards. A frame of the job's decides that the job asks.
 * A library's frame decides that the library does if its code names what is asked for;
 * otherwise it only carries what it was given (the run() of a thread, an importer of names) and
 * the next one out decides. With no frame left it was the job.
 *
 * It is a filter: what a job can do to look like a library is in docs/THREATS.md.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_ASKER_H
#define SANDBOX_RUNTIMES_PYTHON_ASKER_H

#include <Python.h>
#include <stdbool.h>
#include <stddef.h>

/* Learns from sys.path where libraries lie: in the zygote, before it names a job's folder. */
void asker_learn(void);

/* Whether code of that file name is a library's. */
bool asker_is_library(PyObject *file_name);

/* Whether the innermost frame is the job's, or there is none. */
bool asker_is_near(void);

/* For the module of that dotted name. What the importer itself does, of an import that was
 * judged already, is never the job's. */
bool asker_imports(const char *name, size_t length);

/* For a function (subprocess.Popen): frames of its own module do not decide. */
bool asker_calls(const char *name, size_t length);

/* The dotted name of the library's function that the job called, on whose way we are; cut to
 * nothing if it does not fit. Returns its length, 0: there is none. */
size_t asker_entrance(char *ret, size_t size);

#endif
