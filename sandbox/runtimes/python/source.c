/* Python.h wants to be first: it decides which features of libc are visible. */
#include <Python.h>

#include "sandbox/runtimes/python/source.h"

#include <stdbool.h>
#include <string.h>

#include "base/own.h"

/* Bits of a code object that __future__ statements set: an expression would need them too. */
#define FUTURES 0x1FF0000

/* As compile() has it for a text. */
#define COMPILE_FLAGS (PyCF_SOURCE_IS_UTF8 | PyCF_IGNORE_COOKIE | PyCF_ALLOW_TOP_LEVEL_AWAIT)

static PyObject *file_name;
static PyObject *shown; /* linecache.cache */

int source_prepare(void)
{
	PyObject *linecache = PyImport_ImportModule("linecache");

	if (linecache != NULL)
		shown = PyObject_GetAttrString(linecache, "cache");
	Py_XDECREF(linecache);
	return shown == NULL || !PyDict_Check(shown) ? -1 : 0;
}

int source_name(const char *name)
{
	Py_XSETREF(file_name, PyUnicode_FromString(name));
	return file_name == NULL ? -1 : 0;
}

/* The line without its end, if it has one; each is shown with one. */
static PyObject *whole_line(const char *line, size_t length)
{
	PyObject *text = PyUnicode_DecodeUTF8(line, (Py_ssize_t)length, NULL);

	if (text != NULL)
		PyUnicode_AppendAndDel(&text, PyUnicode_FromString("\n"));
	return text;
}

static PyObject *lines_of(const char *code, size_t length)
{
	PyObject *lines = PyList_New(0);
	const char *end = code + length;

	for (const char *line = code; lines != NULL && line != NULL;) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		PyObject *text = whole_line(line, (size_t)((next != NULL ? next : end) - line));

		if (text == NULL || PyList_Append(lines, text) < 0)
			Py_CLEAR(lines);
		Py_XDECREF(text);
		line = next != NULL ? next + 1 : NULL;
	}
	return lines;
}

int source_show(const char *code, size_t length, Py_ssize_t chars)
{
	PyObject *lines = lines_of(code, length);
	PyObject *entry = NULL;
	int status = -1;

	if (lines != NULL)
		entry = Py_BuildValue("nOOO", chars, Py_None, lines, file_name);
	if (entry != NULL)
		status = PyDict_SetItem(shown, file_name, entry);
	Py_XDECREF(entry);
	Py_XDECREF(lines);
	return status;
}

/* White space as str.isspace() has it, of ASCII. */
static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

static bool is_blank_or_comment(const char *line, const char *end)
{
	while (line < end && is_space(*line))
		line++;
	return line == end || *line == '#';
}

/* The last line with something on it, or the first one. */
static const char *find_last_line(const char *code, size_t length, const char **ret_end)
{
	const char *end = code + length;
	const char *line;

	for (;;) {
		const char *before = memrchr(code, '\n', (size_t)(end - code));

		line = before != NULL ? before + 1 : code;
		if (before == NULL || !is_blank_or_comment(line, end))
			break;
		end = before;
	}
	*ret_end = end;
	return line;
}

/* A line that may go on from the one before, or be less than it seems; one that begins with
 * more than ASCII may be blank. */
static bool is_doubtful(const char *line, const char *end)
{
	size_t length = (size_t)(end - line);

	return length == 0 || (*line & 0x80) != 0 || is_space(*line) ||
	       strchr(")]}#", *line) != NULL || memchr(line, '\\', length) != NULL ||
	       memchr(line, '\r', length) != NULL;
}

static PyObject *compile_text(const char *text, int start)
{
	PyCompilerFlags flags = _PyCompilerFlags_INIT;

	flags.cf_flags = COMPILE_FLAGS;
	return Py_CompileStringObject(text, file_name, start, &flags, -1);
}

/* Behind as many empty lines as it has lines before it, so that errors name the right one. */
static PyObject *compile_expression(const char *code, const char *line, const char *end)
{
	own_mem char *text = malloc((size_t)(end - code) + 1);
	size_t used = 0;

	if (text == NULL)
		return NULL;
	for (const char *at = code; at < line; at++)
		if (*at == '\n')
			text[used++] = '\n';
	memcpy(text + used, line, (size_t)(end - line));
	text[used + (size_t)(end - line)] = '\0';
	return compile_text(text, Py_eval_input);
}

static bool is_all_line_ends(const char *code, const char *end)
{
	while (code < end && *code == '\n')
		code++;
	return code == end;
}

/* None where there is nothing; NULL also for code with a __future__. */
static PyObject *compile_body(const char *code, const char *end)
{
	own_mem char *text = NULL;
	PyObject *body;

	if (is_all_line_ends(code, end))
		return Py_NewRef(Py_None);
	text = strndup(code, (size_t)(end - code));
	body = text != NULL ? compile_text(text, Py_file_input) : NULL;
	if (body != NULL && (((PyCodeObject *)body)->co_flags & FUTURES) != 0)
		Py_CLEAR(body);
	return body;
}

PyObject *source_compile_last_line(const char *code, size_t length)
{
	PyObject *expression;
	PyObject *body = NULL;
	PyObject *parts = NULL;
	const char *end;
	const char *line = find_last_line(code, length, &end);

	if (memchr(code, '\0', length) != NULL || is_doubtful(line, end))
		return NULL;
	/* The expression first: if it is none, nobody has been warned of anything in the rest.
	 */
	expression = compile_expression(code, line, end);
	if (expression != NULL)
		body = compile_body(code, line);
	if (body != NULL)
		parts = PyTuple_Pack(2, body, expression);
	Py_XDECREF(body);
	Py_XDECREF(expression);
	PyErr_Clear();
	return parts;
}
