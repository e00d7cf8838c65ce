/*
 * sandbox/runtimes/python/bootstrap.h - the text of bootstrap.py, part of the binary: inside
 * the runtime's root there is no file of ours that could be read or replaced.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_BOOTSTRAP_H
#define SANDBOX_RUNTIMES_PYTHON_BOOTSTRAP_H

extern const char bootstrap_text[]; /* NUL-terminated */

#endif
