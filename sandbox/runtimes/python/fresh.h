/*
 * sandbox/runtimes/python/fresh.h - secrets and generators of the zygote's modules, overwritten
 * in each worker where they lie: Python's own ways to do it would copy hundreds of pages.
 *
 * Random words are as good a state of a Mersenne Twister as any seed makes; its position then
 * says that all are used up. Nobody has seen the bytes of multiprocessing's key yet, and
 * nothing is derived from them.
 */
#ifndef SANDBOX_RUNTIMES_PYTHON_FRESH_H
#define SANDBOX_RUNTIMES_PYTHON_FRESH_H

#include <Python.h>
#include <stdbool.h>

#include "base/err.h"

/* What lies where we know of; the rest is made anew by Python. */
struct fresh {
	bool is_random; /* the generator of module random */
	bool is_numpy;	/* numpy's, or there is none */
};

/* In the zygote. `key`: bytes or None. `generator`: of module random, whose words and position
 * `state` has. `numpy`: the address of the state of numpy's generator, 0 when it is unknown,
 * None when there is none. -1: a Python exception is pending. */
int fresh_find(PyObject *key, PyObject *generator, PyObject *state, PyObject *numpy);

/* In the worker. */
nodiscard int fresh_make(struct fresh *ret, struct err *err);

#endif
