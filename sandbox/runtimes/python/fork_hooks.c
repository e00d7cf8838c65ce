/* Python.h wants to be first: it decides which features of libc are visible. */
#include <Python.h>

#include "sandbox/runtimes/python/fork_hooks.h"

#include <stdbool.h>

enum { BEFORE, IN_PARENT, IN_CHILD, KINDS };

static PyObject *kept[KINDS]; /* tuples */
static bool is_open;

/* As the interpreter calls its own: one that fails is told of and stops nothing. */
static PyObject *call_all(PyObject *hooks)
{
	for (Py_ssize_t i = 0; is_open && hooks != NULL && i < PyTuple_GET_SIZE(hooks); i++) {
		PyObject *hook = PyTuple_GET_ITEM(hooks, i);
		PyObject *done = PyObject_CallNoArgs(hook);

		if (done == NULL)
			PyErr_WriteUnraisable(hook);
		Py_XDECREF(done);
	}
	Py_RETURN_NONE;
}

static PyObject *before(PyObject *self, PyObject *none)
{
	(void)self;
	(void)none;
	return call_all(kept[BEFORE]);
}

static PyObject *in_parent(PyObject *self, PyObject *none)
{
	(void)self;
	(void)none;
	return call_all(kept[IN_PARENT]);
}

static PyObject *in_child(PyObject *self, PyObject *none)
{
	(void)self;
	(void)none;
	return call_all(kept[IN_CHILD]);
}

PyObject *fork_hooks_functions(void)
{
	static PyMethodDef methods[KINDS] = {
		{"before_fork", before, METH_NOARGS, NULL},
		{"after_fork_in_parent", in_parent, METH_NOARGS, NULL},
		{"after_fork_in_child", in_child, METH_NOARGS, NULL},
	};
	PyObject *functions = PyTuple_New(KINDS);

	for (int i = 0; functions != NULL && i < KINDS; i++) {
		PyObject *function = PyCFunction_New(&methods[i], NULL);

		if (function == NULL)
			Py_CLEAR(functions);
		else
			PyTuple_SET_ITEM(functions, i, function);
	}
	return functions;
}

int fork_hooks_keep(PyObject *tuples)
{
	PyTypeObject *tuple = &PyTuple_Type;

	if (!PyArg_ParseTuple(tuples, "O!O!O!", tuple, &kept[BEFORE], tuple, &kept[IN_PARENT],
			      tuple, &kept[IN_CHILD]))
		return -1;
	for (int i = 0; i < KINDS; i++)
		Py_INCREF(kept[i]);
	return 0;
}

void fork_hooks_open(void)
{
	is_open = true;
}
