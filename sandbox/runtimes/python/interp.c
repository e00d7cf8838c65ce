/* Python.h wants to be first: it decides which features of libc are visible. */
#include <Python.h>

#include "sandbox/runtimes/python/interp.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "sandbox/runtimes/python/arena.h"
#include "sandbox/runtimes/python/bootstrap.h"
#include "sandbox/runtimes/python/fork_hooks.h"
#include "sandbox/runtimes/python/fresh.h"
#include "sandbox/runtimes/python/libraries.h"
#include "sandbox/runtimes/python/quiet.h"
#include "sandbox/runtimes/python/second_lock.h"
#include "sandbox/runtimes/python/source.h"
#include "sandbox/zygote/job.h"
#include "schema/limits.h"

#define EXIT_OUTPUT_LOST 120 /* what python3 exits with when stdout cannot be flushed */
#define CELL_NATIVE_ID	 2   /* as bootstrap.py has it: a worker is pid 2 of its cell */
#define SOURCE_NAME	 "main.py"
#define SOURCE_BYTES_MAX \
	(256u << 10)	   /* larger ones are compiled in one piece; see bootstrap.py */
#define PRACTICE_ROUNDS 64 /* CPython 3.11 specialises code after 8 calls and 16 more */

/* The functions of bootstrap.py, looked up once; they live as long as the process. */
enum hook {
	HOOK_PRELOAD,
	HOOK_SETTLE,
	HOOK_FIND_SECRETS,
	HOOK_OPEN_STREAMS,
	HOOK_FINISH,
	HOOK_VERSION,
	HOOK_ENTER,
	HOOK_FRESH_MAIN,
	HOOK_PREPARE,
	HOOK_COMPILE,
	HOOK_DRIVE,
	HOOK_RESULT,
	HOOK_EXPLAIN,
	HOOK_STOP,
	HOOK_OBJECTS,
	HOOK_FLUSH,
	HOOK_DROP_MODULES,
	HOOK_IS_WRITTEN,
	HOOK_COUNT
};

static const char *const hook_names[HOOK_COUNT] = {
	"preload", "settle",	    "find_secrets", "open_streams", "finish",
	"version", "enter",	    "fresh_main",   "prepare",	    "compile_job",
	"drive",   "report_result", "explain",	    "stop",	    "objects",
	"flush",   "drop_modules",  "is_written",
};

static bool sweep(bool may_drop);

static PyObject *hooks[HOOK_COUNT];
static PyObject *arguments;
static PyObject *variables;
static PyObject *report;    /* bytes that job_end points into */
static PyObject *main_dict; /* namespace of the coming job */
static bool has_loop;	    /* the job has had a top-level await */

/* What may hold bytes that were written to a file, but not yet to the kernel. */
static const char *const file_names[] = {"TextIOWrapper", "BufferedWriter", "BufferedRandom"};
static PyObject *file_types[ARRAY_COUNT(file_names)];

/* The pending exception with its traceback, no longer pending; a new reference. */
static PyObject *take_exception(void)
{
#if PY_VERSION_HEX >= 0x030c0000
	return PyErr_GetRaisedException();
#else
	PyObject *type, *value, *trace;

	PyErr_Fetch(&type, &value, &trace);
	PyErr_NormalizeException(&type, &value, &trace);
	if (value != NULL && trace != NULL)
		(void)PyException_SetTraceback(value, trace);
	Py_XDECREF(type);
	Py_XDECREF(trace);
	return value;
#endif
}

/* The pending Python exception as one line; it is cleared. */
static int err_python(struct err *err, const char *what)
{
	PyObject *value = take_exception();
	PyObject *text = NULL;
	const char *message = NULL;
	int status;

	if (value != NULL)
		text = PyObject_Repr(value);
	if (text != NULL)
		message = PyUnicode_AsUTF8(text);
	status = err_set(err, EIO, "%s: %s", what, message != NULL ? message : "unknown error");
	PyErr_Clear();
	Py_XDECREF(text);
	Py_XDECREF(value);
	return status;
}

static int configure(PyConfig *config)
{
	PyStatus status;

	/* As python3 main.py would, so that programs see the signals they expect. */
	config->install_signal_handlers = 1;
	config->write_bytecode = 0;
	config->site_import = 1;
	config->user_site_directory = 0;
	config->use_hash_seed = 0; /* hash randomisation on */
	config->parse_argv = 0;
	config->pathconfig_warnings = 0;
	status = PyConfig_SetString(config, &config->program_name, L"/usr/bin/python3");
	if (!PyStatus_Exception(status))
		status = PyConfig_SetString(config, &config->executable, L"/usr/bin/python3");
	if (!PyStatus_Exception(status))
		status = Py_InitializeFromConfig(config);
	return PyStatus_Exception(status) ? -1 : 0;
}

static int find_file_types(struct err *err)
{
	PyObject *io = PyImport_ImportModule("_io");

	for (size_t i = 0; io != NULL && i < ARRAY_COUNT(file_types); i++)
		file_types[i] = PyObject_GetAttrString(io, file_names[i]);
	Py_XDECREF(io);
	return PyErr_Occurred() ? err_python(err, "find the types of files") : 0;
}

static int find_hooks(struct err *err)
{
	PyObject *module = NULL;
	PyObject *code = Py_CompileString(bootstrap_text, "<casemate>", Py_file_input);

	if (code != NULL)
		module = PyImport_ExecCodeModuleEx("_casemate", code, "<casemate>");
	Py_XDECREF(code);
	if (module == NULL)
		return err_python(err, "run bootstrap.py");
	for (int i = 0; i < HOOK_COUNT; i++) {
		hooks[i] = PyObject_GetAttrString(module, hook_names[i]);
		if (hooks[i] == NULL)
			return err_python(err, hook_names[i]);
	}
	/* Nothing a job should find by name. */
	if (PyDict_DelItemString(PyImport_GetModuleDict(), "_casemate") != 0)
		return err_python(err, "hide bootstrap.py");
	return 0;
}

int interp_start(struct err *err)
{
	PyPreConfig pre;
	PyConfig config;
	int status;

	PyPreConfig_InitIsolatedConfig(&pre);
	pre.utf8_mode = 1;
	if (PyStatus_Exception(Py_PreInitialize(&pre)))
		return err_set(err, EIO, "python cannot be pre-initialised");
	arena_install();
	PyConfig_InitIsolatedConfig(&config);
	status = configure(&config);
	PyConfig_Clear(&config);
	if (status != 0)
		return err_set(err, EIO,
			       "python cannot be initialised: is its library in the root?");
	status = find_hooks(err);
	if (status == 0)
		status = find_file_types(err);
	if (status == 0 && (source_prepare() < 0 || source_name(SOURCE_NAME) < 0))
		status = err_python(err, "find where sources are shown");
	if (status < 0)
		return status;
	arguments = PyList_New(0);
	variables = PyDict_New();
	if (arguments == NULL || variables == NULL)
		return err_python(err, "allocate");
	return 0;
}

/* Copies item `index` of a tuple of texts; what does not fit is cut. */
static int copy_text(PyObject *text, char *ret, size_t size, struct err *err)
{
	const char *utf8 = text != NULL ? PyUnicode_AsUTF8(text) : NULL;

	if (utf8 == NULL)
		return err_python(err, "read a text");
	(void)snprintf(ret, size, "%s", utf8);
	return 0;
}

int interp_preload(const char *list, struct zygote_modules *ret, struct err *err)
{
	PyObject *lists = PyObject_CallFunction(hooks[HOOK_PRELOAD], "s", list);
	PyObject *version = PyObject_CallNoArgs(hooks[HOOK_VERSION]);
	int status;

	if (lists == NULL || version == NULL) {
		status = err_python(err, "preload modules");
		goto done;
	}
	status = copy_text(version, ret->version, sizeof(ret->version), err);
	if (status == 0)
		status = copy_text(PyTuple_GetItem(lists, 0), ret->loaded, sizeof(ret->loaded),
				   err);
	if (status == 0)
		status = copy_text(PyTuple_GetItem(lists, 1), ret->missing,
				   sizeof(ret->missing), err);
done:
	Py_XDECREF(lists);
	Py_XDECREF(version);
	return status;
}

static int renew_main(struct err *err)
{
	PyObject *fresh = PyObject_CallNoArgs(hooks[HOOK_FRESH_MAIN]);

	if (fresh == NULL)
		return err_python(err, "make __main__");
	Py_XSETREF(main_dict, fresh);
	return 0;
}

static int find_secrets(struct err *err)
{
	PyObject *found = PyObject_CallNoArgs(hooks[HOOK_FIND_SECRETS]);
	PyObject *key;
	PyObject *generator;
	PyObject *state;
	PyObject *numpy;
	int status = 0;

	if (found == NULL ||
	    !PyArg_ParseTuple(found, "OOOO", &key, &generator, &state, &numpy) ||
	    fresh_find(key, generator, state, numpy) < 0)
		status = err_python(err, "find what each worker makes anew");
	Py_XDECREF(found);
	return status;
}

/* With the end of a job, after which the interpreter is of no use to another one. */
static int rehearse_whole(int (*stop)(int status), struct err *err)
{
	int status = renew_main(err);

	if (status == 0)
		status = interp_rehearse(err);
	if (status == 0 && stop(0) != 0)
		status = err_set(err, EIO, "the rehearsal's output is lost");
	return status;
}

/* Before settle() has seen what waits for threads and for the exit. */
static int stop_early(int status)
{
	Py_CLEAR(main_dict);
	return sweep(true) ? status : EXIT_OUTPUT_LOST;
}

/* What a worker runs of Python is specialised then, and what it looks up is in the
 * interpreter's caches: what a worker finds there it need not write, and has no page copied for
 * it. */
static int practise(struct err *err)
{
	int status = 0;

	for (int i = 0; i < PRACTICE_ROUNDS && status == 0; i++) {
		status = interp_enter(err);
		if (status == 0)
			status = rehearse_whole(interp_stop, err);
	}
	return status;
}

static int call(enum hook hook, struct err *err)
{
	PyObject *done = PyObject_CallNoArgs(hooks[hook]);

	if (done == NULL)
		return err_python(err, hook_names[hook]);
	Py_DECREF(done);
	return 0;
}

static int remember(struct err *err)
{
	return quiet_remember() < 0 ? err_python(err, "remember what is the zygote's") : 0;
}

static int finish(struct err *err)
{
	PyObject *functions = fork_hooks_functions();
	PyObject *for_jobs = NULL;
	int status = 0;

	if (functions != NULL)
		for_jobs = PyObject_CallOneArg(hooks[HOOK_FINISH], functions);
	if (for_jobs == NULL || fork_hooks_keep(for_jobs) < 0)
		status = err_python(err, hook_names[HOOK_FINISH]);
	Py_XDECREF(for_jobs);
	Py_XDECREF(functions);
	return status;
}

/* The interpreter's list of what repr() is at work on; the practice makes a new one. */
static void forget_repr(void)
{
	PyObject *own = PyThreadState_GetDict();

	if (own != NULL && PyDict_DelItemString(own, "Py_Repr") < 0)
		PyErr_Clear();
}

/* All that is new after the gaps are filled lies together: what each job writes to, and what
 * each makes anew, for which the practice is made. */
static int get_used_to_it(struct err *err)
{
	/* What this imports is old by the second time. */
	int status = find_secrets(err);

	/* The collection also empties the interpreter's lists of free objects, which lie all
	 * over its memory. */
	(void)PyGC_Collect();
	arena_prime();
	arena_keep_old(true);
	forget_repr();
	if (status == 0)
		status = find_secrets(err);
	(void)PyGC_Collect();
	/* Or a worker's lookup would count down the name that its entry had before. */
	(void)PyType_ClearCache();
	if (status == 0 && source_name(SOURCE_NAME) < 0)
		status = err_python(err, "name the source");
	if (status == 0)
		status = call(HOOK_OPEN_STREAMS, err);
	if (status == 0)
		status = remember(err);
	if (status == 0)
		status = practise(err);
	if (status == 0)
		status = finish(err);
	if (status == 0)
		status = remember(err);
	(void)PyGC_Collect();
	arena_keep_old(false);
	return status;
}

int interp_settle(struct err *err)
{
	int status = rehearse_whole(stop_early, err);

	if (status < 0)
		return status;
	if (second_lock_make() < 0)
		return err_python(err, "make the second lock");
	status = call(HOOK_SETTLE, err);
	if (status == 0)
		status = get_used_to_it(err);
	if (status < 0)
		return status;
	libraries_merge((uintptr_t)PyEval_EvalCode);
	arena_collapse();
	/* Not frozen with the rest: cycles through a job's globals must be found. */
	return renew_main(err);
}

void interp_fork_before(void)
{
	PyOS_BeforeFork();
}

void interp_fork_parent(void)
{
	PyOS_AfterFork_Parent();
}

void interp_fork_child(void)
{
	arena_close_region();
	PyOS_AfterFork_Child();
	fork_hooks_open();
}

/* Python of ours copies some twenty pages, so only where there is something left to do. */
int interp_enter(struct err *err)
{
	struct fresh fresh;
	PyObject *done;
	int status = fresh_make(&fresh, err);

	if (status < 0)
		return status;
	if (fresh.is_random && fresh.is_numpy && syscall(SYS_gettid) == CELL_NATIVE_ID)
		return 0;
	done = PyObject_CallFunction(hooks[HOOK_ENTER], "ii", fresh.is_random, fresh.is_numpy);
	if (done == NULL)
		return err_python(err, "enter the worker");
	Py_DECREF(done);
	return 0;
}

int interp_add_argument(const char *data, size_t length, struct err *err)
{
	PyObject *text = PyUnicode_DecodeFSDefaultAndSize(data, (Py_ssize_t)length);
	int status = text == NULL ? -1 : PyList_Append(arguments, text);

	Py_XDECREF(text);
	return status == 0 ? 0 : err_python(err, "argument");
}

int interp_add_variable(const char *name, size_t name_length, const char *data, size_t length,
			struct err *err)
{
	PyObject *key = PyUnicode_DecodeFSDefaultAndSize(name, (Py_ssize_t)name_length);
	PyObject *value = PyUnicode_DecodeFSDefaultAndSize(data, (Py_ssize_t)length);
	int status = key == NULL || value == NULL ? -1 : PyDict_SetItem(variables, key, value);

	Py_XDECREF(key);
	Py_XDECREF(value);
	return status == 0 ? 0 : err_python(err, "environment variable");
}

/* Runs one code object as __main__. It is called from here, not from Python code of ours, so
 * that the job sees no frame above its own. A coroutine comes from a top-level await. */
static PyObject *evaluate(PyObject *code)
{
	PyObject *value = PyEval_EvalCode(code, main_dict, main_dict);

	if (value != NULL && PyCoro_CheckExact(value) &&
	    (((PyCodeObject *)code)->co_flags & CO_COROUTINE) != 0) {
		has_loop = true;
		Py_SETREF(value, PyObject_CallOneArg(hooks[HOOK_DRIVE], value));
	}
	return value;
}

/* What report_result() of bootstrap.py makes of a text of which nothing has to be cut or
 * replaced. NULL, without an exception, for any other. */
static PyObject *short_report(PyObject *text)
{
	own_buf buf = {.data = NULL};
	struct jsonw json;
	Py_ssize_t length = 0;
	const char *utf8 =
		PyUnicode_CheckExact(text) && PyUnicode_GET_LENGTH(text) <= LIMIT_RESULT_CHARS
			? PyUnicode_AsUTF8AndSize(text, &length)
			: NULL;
	PyObject *made = NULL;

	if (utf8 != NULL && memchr(utf8, '\0', (size_t)length) == NULL) {
		buf_init(&buf, LIMIT_REPORT_BYTES - 1);
		jsonw_init(&json, &buf);
		jsonw_object_open(&json);
		jsonw_key(&json, "error");
		jsonw_null(&json);
		jsonw_key(&json, "result");
		jsonw_bytes(&json, utf8, (size_t)length);
		jsonw_object_close(&json);
		if (buf_check(&buf, NULL) == 0)
			made = PyBytes_FromStringAndSize(buf.data, (Py_ssize_t)buf.length);
	}
	PyErr_Clear();
	return made;
}

/* -1: a Python exception is pending. */
static int keep_result(PyObject *value)
{
	PyObject *text;

	if (value == Py_None)
		return 0;
	text = PyObject_Repr(value);
	if (text == NULL)
		return -1;
	Py_XSETREF(report, short_report(text));
	if (report == NULL)
		report = PyObject_CallFunction(hooks[HOOK_RESULT], "Oii", text,
					       LIMIT_RESULT_CHARS, LIMIT_REPORT_BYTES - 1);
	Py_DECREF(text);
	return report == NULL ? -1 : 0;
}

static int run_parts(PyObject *parts)
{
	PyObject *body = PyTuple_GetItem(parts, 0);
	PyObject *expression = PyTuple_GetItem(parts, 1);
	PyObject *value;
	int status;

	if (body != Py_None) {
		value = evaluate(body);
		if (value == NULL)
			return -1;
		Py_DECREF(value);
	}
	if (expression == Py_None)
		return 0;
	value = evaluate(expression);
	if (value == NULL)
		return -1;
	status = keep_result(value);
	Py_DECREF(value);
	return status;
}

static PyObject *compile_source(PyObject *source, const char *code, size_t length)
{
	PyObject *parts = NULL;

	if (source_show(code, length, PyUnicode_GET_LENGTH(source)) < 0)
		return NULL;
	if (length <= SOURCE_BYTES_MAX)
		parts = source_compile_last_line(code, length);
	return parts != NULL ? parts : PyObject_CallOneArg(hooks[HOOK_COMPILE], source);
}

static int run_source(PyObject *source, const char *code, size_t length)
{
	PyObject *parts = compile_source(source, code, length);
	int status;

	if (parts == NULL)
		return -1;
	/* After the last of our own Python before the job's. */
	status = second_lock_close();
	if (status == 0)
		status = run_parts(parts);
	Py_DECREF(parts);
	return status;
}

/* The pending exception becomes the job's end. The exception holds the traceback, and that the
 * frames: both go before the globals do. */
static void explain(struct job_end *end)
{
	PyObject *value = take_exception();
	PyObject *verdict = NULL;
	PyObject *json = NULL;
	int is_memory = 0;
	int is_interrupt = 0;

	end->status = 1;
	if (value != NULL)
		verdict = PyObject_CallFunction(hooks[HOOK_EXPLAIN], "Oi", value,
						LIMIT_REPORT_BYTES - 1);
	if (verdict != NULL &&
	    PyArg_ParseTuple(verdict, "iOpp", &end->status, &json, &is_memory, &is_interrupt)) {
		end->is_out_of_memory = is_memory != 0;
		end->signal = is_interrupt != 0 ? SIGINT : 0;
		Py_XSETREF(report, PyBytes_Check(json) ? Py_NewRef(json) : NULL);
	} else if (value != NULL && PyErr_GivenExceptionMatches(value, PyExc_MemoryError)) {
		end->is_out_of_memory = true;
	}
	/* If even the explanation failed, the job has broken the interpreter it ran in; its
	 * exit status says that it failed. */
	PyErr_Clear();
	Py_XDECREF(verdict);
	Py_XDECREF(value);
}

static bool is_in_workspace(void)
{
	char folder[sizeof(JOB_WORKSPACE) + 1];

	return getcwd(folder, sizeof(folder)) != NULL && strcmp(folder, JOB_WORKSPACE) == 0;
}

/* Most jobs have what the zygote has set up. */
static int prepare(void)
{
	PyObject *done;

	if (PyList_GET_SIZE(arguments) == 0 && PyDict_GET_SIZE(variables) == 0 &&
	    is_in_workspace())
		return 0;
	done = PyObject_CallFunctionObjArgs(hooks[HOOK_PREPARE], arguments, variables, NULL);
	Py_XDECREF(done);
	return done == NULL ? -1 : 0;
}

void interp_run(const char *code, size_t length, struct job_end *ret)
{
	PyObject *source = NULL;
	int status = prepare();

	*ret = (struct job_end){.status = 0};
	if (status == 0)
		source = PyUnicode_DecodeUTF8(code, (Py_ssize_t)length, NULL);
	if (source == NULL || run_source(source, code, length) != 0)
		explain(ret);
	Py_XDECREF(source);
	if (report != NULL) {
		ret->report = PyBytes_AS_STRING(report);
		ret->report_length = (size_t)PyBytes_GET_SIZE(report);
	}
}

/* Files somebody still holds; those of the zygote are frozen and not listed. In C because
 * isinstance() asks every object for its __class__, and a job's object may run code then. */
static void flush_files(void)
{
	PyObject *things = PyObject_CallNoArgs(hooks[HOOK_OBJECTS]);

	for (Py_ssize_t i = 0; things != NULL && i < PyList_GET_SIZE(things); i++) {
		PyObject *thing = Py_NewRef(PyList_GET_ITEM(things, i));
		PyObject *done = NULL;

		for (size_t kind = 0; kind < ARRAY_COUNT(file_types) && done == NULL; kind++)
			if (PyObject_TypeCheck(thing, (PyTypeObject *)file_types[kind]))
				done = PyObject_CallOneArg(hooks[HOOK_FLUSH], thing);
		Py_XDECREF(done);
		Py_DECREF(thing);
	}
	PyErr_Clear();
	Py_XDECREF(things);
}

/* Calls what says yes or no; what it raises is a no. */
static bool ask(enum hook hook)
{
	PyObject *result = PyObject_CallNoArgs(hooks[hook]);
	bool is_yes = result == Py_True;

	PyErr_Clear();
	Py_XDECREF(result);
	return is_yes;
}

/* Second half of what the interpreter does at exit: finalizers run, files are written. Returns
 * false if output was lost. */
static bool sweep(bool may_drop)
{
	/* Before the collection: of a file in a reference cycle it may close the lowest layer
	 * first. */
	flush_files();
	if (may_drop) {
		if (!quiet_drop_modules())
			(void)ask(HOOK_DROP_MODULES);
		/* The job may have switched it off. */
		(void)PyGC_Enable();
		(void)PyGC_Collect();
		flush_files();
	}
	return quiet_flush() || ask(HOOK_IS_WRITTEN);
}

int interp_stop(int status)
{
	bool may_drop = (!has_loop && quiet_stop()) || ask(HOOK_STOP);
	bool is_written;

	Py_CLEAR(main_dict);
	is_written = sweep(may_drop);
	/* Extension modules print with stdio. */
	(void)fflush(NULL);
	return is_written || status != 0 ? status : EXIT_OUTPUT_LOST;
}

int interp_rehearse(struct err *err)
{
	static const char code[] = "import sys\nprint('', end='')\nfor i in range(3):\n"
				   "\tj = f'{i} {i / 2:.2f}'\n[i, j, {'a': 1}]\n";
	PyObject *coming = main_dict;
	struct job_end end;

	main_dict = PyDict_New();
	if (main_dict == NULL)
		return err_python(err, "make a namespace");
	interp_run(code, sizeof(code) - 1, &end);
	Py_DECREF(main_dict);
	main_dict = coming;
	if (end.status != 0 || end.report == NULL)
		return err_set(err, EIO, "the rehearsal of a job failed: %.*s",
			       (int)end.report_length, end.report != NULL ? end.report : "");
	Py_CLEAR(report);
	return 0;
}
