/*
 * sandbox/runtimes/python/quiet.h - the end of a job that left nothing to wait for and imported
 * nothing new, as most do. Seen and done in C, because the Python of bootstrap.py that does it
 * for all others writes to objects on thirty pages, each of which a worker would copy.
 *
 * Each function does its part, or says that it is not for it (false): then the Python is
 * called, which does the part from the start. A job that has changed what is looked at here
 * harms its own end only.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_QUIET_H
#define SANDBOX_RUNTIMES_PYTHON_QUIET_H

#include <stdbool.h>

/* What is there now is not the job's: in the zygote before the practice and, last, after it.
 * -1: a Python exception is pending. */
int quiet_remember(void);

/* stop() of bootstrap.py, for a job without an event loop of ours. */
bool quiet_stop(void);

/* drop_modules() */
bool quiet_drop_modules(void);

/* is_written() */
bool quiet_flush(void);

#endif
