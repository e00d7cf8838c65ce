#include <Python.h>

#include "sandbox/runtimes/python/asker.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"

#define FOLDERS_MAX 16 /* sys.path has four; more than this many are taken for the job's */

static PyObject *folders[FOLDERS_MAX];
static size_t folder_count;

/* --- where code comes from --------------------------------------------------------------- */

void asker_learn(void)
{
	PyObject *path = PySys_GetObject("path");
	Py_ssize_t count = path != NULL && PyList_Check(path) ? PyList_GET_SIZE(path) : 0;

	for (Py_ssize_t i = 0; i < count && folder_count < FOLDERS_MAX; i++) {
		PyObject *folder = PyList_GET_ITEM(path, i);

		if (PyUnicode_Check(folder))
			folders[folder_count++] = Py_NewRef(folder);
	}
}

static const char *text_of(PyObject *text)
{
	const char *utf8 =
		text != NULL && PyUnicode_Check(text) ? PyUnicode_AsUTF8(text) : NULL;

	if (utf8 == NULL)
		PyErr_Clear();
	return utf8;
}

bool asker_is_library(PyObject *file_name)
{
	const char *name = text_of(file_name);

	if (name == NULL)
		return false;
	if (strncmp(name, "<frozen ", 8) == 0)
		return true;
	/* No file of a library is found by a way up and down again. */
	if (name[0] != '/' || strstr(name, "/..") != NULL)
		return false;
	for (size_t i = 0; i < folder_count; i++) {
		const char *folder = text_of(folders[i]);
		size_t length = folder != NULL ? strlen(folder) : 0;

		if (length > 1 && strncmp(name, folder, length) == 0 && name[length] == '/')
			return true;
	}
	return false;
}

/* --- frames ------------------------------------------------------------------------------ */

/* One frame on the way out; references are the place's own. */
struct place {
	PyFrameObject *frame; /* NULL: there is no further one */
	PyCodeObject *code;
	PyObject *globals;
	bool is_library;
};

static void leave(struct place *place)
{
	Py_CLEAR(place->frame);
	Py_CLEAR(place->code);
	Py_CLEAR(place->globals);
}

static void look(struct place *place, PyFrameObject *take_frame)
{
	leave(place);
	place->frame = take_frame;
	if (take_frame == NULL) {
		PyErr_Clear();
		return;
	}
	place->code = PyFrame_GetCode(take_frame);
	place->globals = PyFrame_GetGlobals(take_frame);
	place->is_library = asker_is_library(place->code->co_filename);
}

static void start(struct place *place)
{
	*place = (struct place){.frame = NULL};
	look(place, (PyFrameObject *)Py_XNewRef((PyObject *)PyEval_GetFrame()));
}

static void go_out(struct place *place)
{
	look(place, PyFrame_GetBack(place->frame));
}

static const char *module_of(const struct place *place)
{
	const char *name = NULL;

	if (place->globals != NULL && PyDict_Check(place->globals))
		name = text_of(PyDict_GetItemString(place->globals, "__name__"));
	return name != NULL ? name : "";
}

/* --- names ------------------------------------------------------------------------------- */

struct word {
	const char *text;
	size_t length;
};

static struct word first_label(const char *name, size_t length)
{
	const char *dot = memchr(name, '.', length);

	return (struct word){name, dot != NULL ? (size_t)(dot - name) : length};
}

static struct word last_label(const char *name, size_t length)
{
	const char *dot = memrchr(name, '.', length);
	size_t start_at = dot != NULL ? (size_t)(dot - name) + 1 : 0;

	return (struct word){name + start_at, length - start_at};
}

static bool is_word(const char *text, struct word word)
{
	return strlen(text) == word.length && memcmp(text, word.text, word.length) == 0;
}

/* Whether `module` is `word` or lies below it. */
static bool is_in(const char *module, struct word word)
{
	return strncmp(module, word.text, word.length) == 0 &&
	       (module[word.length] == '\0' || module[word.length] == '.');
}

/* The importer, on the way of an import that was judged already. */
static bool is_importing(const struct place *place)
{
	static const struct word machinery[] = {{"importlib._bootstrap", 20},
						{"importlib._bootstrap_external", 29}};

	for (size_t i = 0; i < ARRAY_COUNT(machinery); i++)
		if (place->frame != NULL && place->is_library &&
		    is_word(module_of(place), machinery[i]))
			return true;
	return false;
}

static bool has_word(PyObject *texts, struct word word)
{
	if (texts == NULL || !PyTuple_Check(texts))
		return false;
	for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(texts); i++) {
		const char *text = text_of(PyTuple_GET_ITEM(texts, i));

		if (text != NULL && is_word(text, word))
			return true;
	}
	return false;
}

/* Among the names the code uses, or its constants: importers take those. */
static bool is_named(const struct place *place, const struct word *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (has_word(place->code->co_names, words[i]) ||
		    has_word(place->code->co_consts, words[i]))
			return true;
	return false;
}

/* --- questions --------------------------------------------------------------------------- */

bool asker_is_near(void)
{
	struct place place;
	bool is_job;

	start(&place);
	is_job = place.frame == NULL || !place.is_library;
	leave(&place);
	return is_job;
}

bool asker_imports(const char *name, size_t length)
{
	static const struct word importlib = {"importlib", 9};
	const struct word words[] = {{name, length}, first_label(name, length)};
	struct place place;
	bool is_job;

	start(&place);
	is_job = !is_importing(&place);
	for (; is_job && place.frame != NULL && place.is_library; go_out(&place)) {
		const char *module = module_of(&place);

		/* A package asks for its own modules by names it puts together. */
		if (!is_in(module, importlib) &&
		    (is_in(module, words[1]) || is_named(&place, words, ARRAY_COUNT(words))))
			is_job = false;
	}
	leave(&place);
	return is_job;
}

bool asker_calls(const char *name, size_t length)
{
	struct word label = last_label(name, length);
	size_t owner_length = length > label.length ? length - label.length - 1 : 0;
	struct word owner = {name, owner_length};
	/* The third is the function of the owner through which its caller came. */
	struct word words[] = {label, last_label(name, owner_length), label};
	struct place place;
	bool is_job;

	start(&place);
	is_job = !is_importing(&place);
	for (; is_job && place.frame != NULL && place.is_library; go_out(&place)) {
		if (owner_length > 0 && is_in(module_of(&place), owner)) {
			const char *called = text_of(place.code->co_name);

			/* The stack keeps it, and nothing runs while we look. */
			if (called != NULL && called[0] != '_')
				words[2] = (struct word){called, strlen(called)};
			continue;
		}
		is_job = !is_named(&place, words, ARRAY_COUNT(words));
	}
	leave(&place);
	return is_job;
}

size_t asker_entrance(char *ret, size_t size)
{
	struct place place;
	size_t length = 0;

	start(&place);
	for (; place.frame != NULL && place.is_library; go_out(&place)) {
		const char *called = text_of(place.code->co_qualname);
		int wrote = snprintf(ret, size, "%s.%s", module_of(&place),
				     called != NULL ? called : "?");

		length = wrote > 0 && (size_t)wrote < size ? (size_t)wrote : 0;
	}
	leave(&place);
	return length;
}
