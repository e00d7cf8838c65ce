/* Python.h wants to be first: it decides which features of libc are visible. */
#include <Python.h>

#include "sandbox/runtimes/python/quiet.h"

#include "base/own.h"

/* Lists of the library that grow with what has to be waited for or ended. */
static struct watched {
	const char *module;
	const char *name;
	PyObject *list; /* NULL: this version has none */
	Py_ssize_t known;
} watched[] = {
	{"threading", "_threading_atexits", NULL, 0},
	{"logging", "_handlerList", NULL, 0},
};

static PyObject *thread_count;	 /* _thread._count */
static PyObject *run_exits;	 /* atexit._run_exitfuncs */
static PyObject *main_name;	 /* "__main__" */
static PyObject *flush_name;	 /* "flush" */
static const PyObject *last_key; /* of the table of modules; it lives as long as the zygote */
static Py_ssize_t last_place;	 /* where PyDict_Next() finds it */

static PyObject *find(const char *module, const char *name)
{
	PyObject *found = PyImport_ImportModule(module);
	PyObject *member = found != NULL ? PyObject_GetAttrString(found, name) : NULL;

	Py_XDECREF(found);
	return member;
}

static void remember_modules(void)
{
	PyObject *modules = PyImport_GetModuleDict();
	PyObject *key = NULL;
	Py_ssize_t place = 0;
	Py_ssize_t next = 0;

	while (PyDict_Next(modules, &next, &key, NULL)) {
		last_key = key;
		last_place = place;
		place = next;
	}
}

int quiet_remember(void)
{
	for (size_t i = 0; i < ARRAY_COUNT(watched); i++) {
		PyObject *list = find(watched[i].module, watched[i].name);

		PyErr_Clear();
		if (list != NULL && !PyList_Check(list))
			Py_CLEAR(list);
		watched[i].known = list != NULL ? PyList_GET_SIZE(list) : 0;
		Py_XSETREF(watched[i].list, list);
	}
	Py_XSETREF(thread_count, find("_thread", "_count"));
	Py_XSETREF(run_exits, find("atexit", "_run_exitfuncs"));
	Py_XSETREF(main_name, PyUnicode_InternFromString("__main__"));
	Py_XSETREF(flush_name, PyUnicode_InternFromString("flush"));
	remember_modules();
	return thread_count == NULL || run_exits == NULL || main_name == NULL ||
			       flush_name == NULL
		       ? -1
		       : 0;
}

static bool succeeds(PyObject *done)
{
	if (done == NULL)
		PyErr_Clear();
	Py_XDECREF(done);
	return done != NULL;
}

static bool has_nothing_to_stop(void)
{
	PyObject *count = PyObject_CallNoArgs(thread_count);
	bool is_alone = count != NULL && PyLong_Check(count) && PyLong_AsLong(count) == 0;

	if (!succeeds(count) || !is_alone)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(watched); i++)
		if (watched[i].list != NULL &&
		    PyList_GET_SIZE(watched[i].list) != watched[i].known)
			return false;
	return true;
}

/* What is called at exit may itself begin something; called a second time, by the Python, it is
 * nothing any more. */
bool quiet_stop(void)
{
	return has_nothing_to_stop() && succeeds(PyObject_CallNoArgs(run_exits)) &&
	       has_nothing_to_stop();
}

/* A table keeps its entries in the order in which they came; where one was taken out, those
 * behind it may move. So the zygote's last is the last of all, at its place, only if none came.
 */
static bool has_imported(PyObject *modules)
{
	Py_ssize_t place = last_place;
	PyObject *key = NULL;

	return !PyDict_Next(modules, &place, &key, NULL) || key != last_key ||
	       PyDict_Next(modules, &place, &key, NULL);
}

bool quiet_drop_modules(void)
{
	PyObject *modules = PyImport_GetModuleDict();

	if (PySys_GetObject("modules") != modules || PySys_GetObject("last_value") != NULL ||
	    has_imported(modules))
		return false;
	if (PyDict_SetItem(modules, main_name, Py_None) == 0)
		return true;
	PyErr_Clear();
	return false;
}

bool quiet_flush(void)
{
	static const char *const names[] = {"stdout", "stderr"};

	for (size_t i = 0; i < ARRAY_COUNT(names) && flush_name != NULL; i++) {
		PyObject *stream = Py_XNewRef(PySys_GetObject(names[i]));
		bool is_flushed = stream != NULL &&
				  succeeds(PyObject_CallMethodNoArgs(stream, flush_name));

		Py_XDECREF(stream);
		if (!is_flushed)
			return false;
	}
	return flush_name != NULL;
}
