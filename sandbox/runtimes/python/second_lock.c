#include <Python.h>

#include "sandbox/runtimes/python/second_lock.h"

#include <stdio.h>
#include <string.h>

#include "sandbox/runtimes/python/asker.h"
#include "sandbox/runtimes/python/denials.h"
#include "schema/guard.h"

static struct guard guard; /* empty: there is no second lock */
static char *lists;	   /* owned; the guard's texts */
static bool is_closed;	   /* the job's code runs, and there are lists */

/* --- refusing ---------------------------------------------------------------------------- */

/* An exception of the usual kind, so that code which expects a module to be missing goes on
 * without it. */
static void refuse(enum guard_topic topic, const char *name, size_t length,
		   const struct guard_denial *denial)
{
	char text[LIMIT_NAME_BYTES + 2 * DENIALS_NAME_BYTES + 256];
	char shown[DENIALS_NAME_BYTES + 1];
	char entry[DENIALS_NAME_BYTES + 1];
	bool is_listed = denial->entry != NULL;

	denials_add(topic, name, length, denial);
	denials_cut(shown, name, length);
	denials_cut(entry, is_listed ? denial->entry->name : "",
		    is_listed ? denial->entry->length : 0);
	(void)snprintf(text, sizeof(text),
		       "the policy %.*s does not allow the %s '%s'%s%s%s; do it another way, "
		       "with what the policy allows",
		       (int)denial->policy->name_length, denial->policy->name,
		       topic == GUARD_MODULES ? "module" : "function", shown,
		       is_listed ? " (it denies '" : " (it is not in its list", entry,
		       is_listed ? "')" : ")");
	PyErr_SetString(topic == GUARD_MODULES ? PyExc_ImportError : PyExc_PermissionError,
			text);
}

/* --- modules ----------------------------------------------------------------------------- */

/* The interpreter's own code imports private modules in the frame of whoever called it
 * (_strptime for datetime), so these must be denied by name. */
static bool is_private(const char *name, const struct guard_denial *denial)
{
	return denial->entry == NULL && name[0] == '_';
}

static bool denies_module(const char *name, size_t length)
{
	struct guard_denial denial;

	if (!guard_denies(&guard, GUARD_MODULES, name, length, &denial) ||
	    is_private(name, &denial) || !asker_imports(name, length))
		return false;
	refuse(GUARD_MODULES, name, length, &denial);
	return true;
}

static bool denies_function(const char *name, size_t length)
{
	struct guard_denial denial;

	if (!guard_denies(&guard, GUARD_FUNCTIONS, name, length, &denial) || !asker_is_near())
		return false;
	refuse(GUARD_FUNCTIONS, name, length, &denial);
	return true;
}

/* NULL when it is no text that has UTF-8, is empty or has a NUL: there is no module of such a
 * name, and no list has one. */
static const char *utf8_of(PyObject *text, size_t *ret_length)
{
	Py_ssize_t length = 0;
	const char *utf8 = text != NULL && PyUnicode_Check(text)
				   ? PyUnicode_AsUTF8AndSize(text, &length)
				   : NULL;

	if (utf8 == NULL)
		PyErr_Clear();
	*ret_length = (size_t)length;
	return length > 0 && strlen(utf8) == (size_t)length ? utf8 : NULL;
}

/* from a import b: b may be a module, or a function. */
static bool denies_member(const char *module, PyObject *member)
{
	char joined[2 * LIMIT_GUARD_NAME_BYTES];
	size_t length;
	const char *name = utf8_of(member, &length);
	int wrote;

	if (name == NULL)
		return false;
	wrote = snprintf(joined, sizeof(joined), "%s.%s", module, name);
	if (wrote < 0 || (size_t)wrote >= sizeof(joined))
		return false; /* longer than any entry */
	return denies_module(joined, (size_t)wrote) || denies_function(joined, (size_t)wrote);
}

static bool denies_members(const char *module, PyObject *members)
{
	PyObject *list;
	bool is_denied = false;

	if (members == NULL || !(PyTuple_Check(members) || PyList_Check(members)))
		return false;
	list = PySequence_Fast(members, "members");
	for (Py_ssize_t i = 0; list != NULL && i < PySequence_Fast_GET_SIZE(list) && !is_denied;
	     i++)
		is_denied = denies_member(module, PySequence_Fast_GET_ITEM(list, i));
	Py_XDECREF(list);
	return is_denied;
}

/* --- the gates --------------------------------------------------------------------------- */

/* An argument by place or by name; NULL: not given. Borrowed. */
static PyObject *argument(PyObject *const *args, size_t count, PyObject *names, size_t index,
			  const char *name)
{
	if (index < count)
		return args[index];
	for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++)
		if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, i), name) == 0)
			return args[count + (size_t)i];
	return NULL;
}

/* A package's own modules, from within it: nobody lists them by half a name. */
static bool is_relative(PyObject *level)
{
	return level != NULL && PyLong_Check(level) && PyLong_AsLong(level) > 0;
}

/* What a call of an importer asks for; `level` and `members` are the places of its arguments,
 * 0: it has none such. Nothing is asked before the lock is closed. */
static bool denies_request(PyObject *const *args, size_t count, PyObject *names, size_t level,
			   size_t members)
{
	const char *module;
	size_t length;

	if (!is_closed)
		return false;
	module = utf8_of(argument(args, count, names, 0, "name"), &length);
	if (module == NULL || is_relative(argument(args, count, names, level, "level")))
		return false;
	return denies_module(module, length) ||
	       (members > 0 &&
		denies_members(module, argument(args, count, names, members, "fromlist")));
}

static PyObject *imports;    /* builtins.__import__ as it was */
static PyObject *gcd_import; /* importlib._bootstrap._gcd_import, below import_module() */

static PyObject *gate_import(PyObject *self, PyObject *const *args, Py_ssize_t count,
			     PyObject *names)
{
	(void)self;
	if (denies_request(args, (size_t)count, names, 4, 3))
		return NULL;
	return PyObject_Vectorcall(imports, args, (size_t)count, names);
}

static PyObject *gate_by_name(PyObject *self, PyObject *const *args, Py_ssize_t count,
			      PyObject *names)
{
	(void)self;
	if (denies_request(args, (size_t)count, names, 2, 0))
		return NULL;
	return PyObject_Vectorcall(gcd_import, args, (size_t)count, names);
}

#define GATE(function) (PyCFunction)(void (*)(void))(function)

static PyMethodDef gates[] = {
	{"__import__", GATE(gate_import), METH_FASTCALL | METH_KEYWORDS, NULL},
	{"_gcd_import", GATE(gate_by_name), METH_FASTCALL | METH_KEYWORDS, NULL},
};

/* They stand in the zygote already, open: each page that a worker writes to is copied for it.
 */
static int put_gate(const char *module_name, PyMethodDef *gate, PyObject **ret_before)
{
	PyObject *module = PyImport_ImportModule(module_name);
	PyObject *function = PyCFunction_New(gate, NULL);
	int status = -1;

	if (module != NULL && function != NULL)
		*ret_before = PyObject_GetAttrString(module, gate->ml_name);
	if (*ret_before != NULL)
		status = PyObject_SetAttrString(module, gate->ml_name, function);
	Py_XDECREF(module);
	Py_XDECREF(function);
	return status;
}

/* --- functions --------------------------------------------------------------------------- */

/* Events whose name is not that of the one function that raises them. Where several do, either
 * any denied name is enough, because they are one thing by several names, or all must be
 * denied, because the event does not say which it was. */
static const struct raised {
	const char *event;
	bool needs_all;
	const char *functions[4];
} raised[] = {
	{"code.__new__", false, {"types.CodeType"}},
	{"compile", false, {"builtins.compile"}},
	{"ctypes.dlopen", false, {"ctypes.CDLL"}},
	{"exec", true, {"builtins.exec", "builtins.eval"}},
	{"function.__new__", false, {"types.FunctionType"}},
	{"mmap.__new__", false, {"mmap.mmap"}},
	{"open", false, {"builtins.open", "io.open", "io.FileIO", "io.open_code"}},
	{"os.exec", true, {"os.execv", "os.execve"}},
	{"os.posix_spawn", true, {"os.posix_spawn", "os.posix_spawnp"}},
	{"os.remove", true, {"os.remove", "os.unlink"}},
	{"os.rename", true, {"os.rename", "os.replace"}},
	{"socket.__new__", false, {"socket.socket"}},
	{"urllib.Request", false, {"urllib.request.urlopen"}},
};

/* Events of the interpreter itself, of which some are raised for every attribute that somebody
 * looks at. None begins anything, and a list that denies what it does not name does not mean
 * them. */
static bool is_internal(const char *event)
{
	static const char *const heads[] = {"object.", "builtins.id", "sys.", "gc.",
					    "cpython."};

	for (size_t i = 0; i < ARRAY_COUNT(heads); i++)
		if (strncmp(event, heads[i], strlen(heads[i])) == 0)
			return true;
	return false;
}

static bool denies_call(const struct raised *call)
{
	struct guard_denial denial = {.policy = NULL};
	const char *name = NULL;
	bool is_all = true;

	for (size_t i = 0; i < ARRAY_COUNT(call->functions) && call->functions[i] != NULL;
	     i++) {
		const char *function = call->functions[i];
		struct guard_denial one;

		if (!guard_denies(&guard, GUARD_FUNCTIONS, function, strlen(function), &one))
			is_all = false;
		else if (name == NULL) {
			name = function;
			denial = one;
		}
	}
	if (name == NULL || (call->needs_all && !is_all) ||
	    (denial.entry == NULL && is_internal(call->event)))
		return false;
	/* A library names the function by one of its names. */
	for (size_t i = 0; i < ARRAY_COUNT(call->functions) && call->functions[i] != NULL; i++)
		if (!asker_calls(call->functions[i], strlen(call->functions[i])))
			return false;
	refuse(GUARD_FUNCTIONS, name, strlen(name), &denial);
	return true;
}

/* What a module does is known by its events however the code came by it: ctypes through an
 * attribute of numpy. Not where only a default denies: a module of pure computation may be
 * allowed one by one. */
static bool denies_module_of(const char *event)
{
	const char *dot = strrchr(event, '.');
	size_t length = dot != NULL ? (size_t)(dot - event) : 0;
	struct guard_denial denial;

	if (length == 0 || !guard_denies(&guard, GUARD_MODULES, event, length, &denial) ||
	    denial.entry == NULL || !asker_calls(event, strlen(event)))
		return false;
	refuse(GUARD_MODULES, event, length, &denial);
	return true;
}

/* A function that raises nothing itself, seen by what it does (os.popen starts a process). */
static bool denies_entrance(void)
{
	char name[LIMIT_GUARD_NAME_BYTES];
	size_t length = asker_entrance(name, sizeof(name));
	struct guard_denial denial;

	if (length == 0 || !guard_denies(&guard, GUARD_FUNCTIONS, name, length, &denial) ||
	    denial.entry == NULL)
		return false;
	refuse(GUARD_FUNCTIONS, name, length, &denial);
	return true;
}

/* --- the hook ---------------------------------------------------------------------------- */

static PyObject *item(PyObject *args, Py_ssize_t index)
{
	return args != NULL && PyTuple_Check(args) && index < PyTuple_GET_SIZE(args)
		       ? PyTuple_GET_ITEM(args, index)
		       : NULL;
}

/* Code under the name of a library's file would be taken for a library. */
static bool is_disguised(const char *event, PyObject *args)
{
	static const char name[] = "compile under a library's file name";
	struct guard_denial denial = {.policy = &guard.policies[0]};

	if ((strcmp(event, "compile") != 0 && strcmp(event, "code.__new__") != 0) ||
	    !asker_is_near() || !asker_is_library(item(args, 1)))
		return false;
	denials_add(GUARD_FUNCTIONS, name, sizeof(name) - 1, &denial);
	PyErr_SetString(PyExc_PermissionError,
			"code of this program cannot have the file name of a library's");
	return true;
}

/* pickle's find_class: a module and a function, named by data. */
static bool denies_found(PyObject *args)
{
	size_t length;
	const char *module = utf8_of(item(args, 0), &length);

	return module != NULL &&
	       (denies_module(module, length) || denies_member(module, item(args, 1)));
}

static bool denies_import(PyObject *args)
{
	size_t length;
	const char *module = utf8_of(item(args, 0), &length);

	return module != NULL && denies_module(module, length);
}

/* eval() and exec() compile what they are given under this name, and anybody may. */
static bool is_string(PyObject *file_name)
{
	return file_name != NULL && PyUnicode_Check(file_name) &&
	       PyUnicode_CompareWithASCIIString(file_name, "<string>") == 0;
}

static struct raised call_of(const char *event, PyObject *args)
{
	if (strcmp(event, "open") == 0 && item(args, 1) == Py_None)
		return (struct raised){event, false, {"os.open"}};
	if (strcmp(event, "compile") == 0 && is_string(item(args, 1)))
		return (struct raised){
			event, true, {"builtins.compile", "builtins.exec", "builtins.eval"}};
	for (size_t i = 0; i < ARRAY_COUNT(raised); i++)
		if (strcmp(raised[i].event, event) == 0)
			return raised[i];
	return (struct raised){event, false, {event}};
}

static bool has_functions(void)
{
	for (size_t i = 0; i < guard.count; i++)
		if (name_list_denies_any(&guard.policies[i].names[GUARD_FUNCTIONS]))
			return true;
	return false;
}

static bool is_refused(const char *event, PyObject *args)
{
	struct raised call;

	if (strcmp(event, "import") == 0)
		return denies_import(args);
	if (is_disguised(event, args))
		return true;
	if (strcmp(event, "pickle.find_class") == 0 && denies_found(args))
		return true;
	if (denies_module_of(event))
		return true;
	if (!has_functions())
		return false;
	call = call_of(event, args);
	return denies_call(&call) || (!is_internal(event) && denies_entrance());
}

static int hook(const char *event, PyObject *args, void *owner)
{
	(void)owner;
	return is_refused(event, args) ? -1 : 0;
}

/* --- life -------------------------------------------------------------------------------- */

int second_lock_make(void)
{
	asker_learn();
	if (put_gate("builtins", &gates[0], &imports) < 0)
		return -1;
	return put_gate("_frozen_importlib", &gates[1], &gcd_import);
}

int second_lock_take(const char *data, size_t length, struct err *err)
{
	if (lists != NULL)
		return err_set(err, EBADMSG, "the policy's lists came twice");
	lists = malloc(length + 1);
	if (lists == NULL)
		return err_errno(err, ENOMEM, "keep the policy's lists");
	memcpy(lists, data, length);
	return guard_decode(lists, length, &guard, err);
}

int second_lock_close(void)
{
	if (guard.count == 0)
		return 0;
	denials_start();
	is_closed = true;
	return PySys_AddAuditHook(hook, NULL);
}

void second_lock_report(struct job_end *end)
{
	if (guard.count > 0)
		denials_report(end);
}
