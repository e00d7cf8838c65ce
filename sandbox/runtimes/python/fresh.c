/* Python.h wants to be first: it decides which features of libc are visible. */
#include <Python.h>

#include "sandbox/runtimes/python/fresh.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>

#define MT_WORDS 624

/* A Mersenne Twister: its words, and how many of them are used up. NULL: unknown. */
struct twister {
	uint32_t *words;
	uint32_t *position;
};

static PyObject *authkey; /* bytes, or NULL */
static struct twister random_state;
static struct twister numpy_state; /* numpy has the position behind the words */
static bool has_numpy;

static int read_words(PyObject *state, uint32_t words[MT_WORDS + 1])
{
	if (!PyTuple_Check(state) || PyTuple_GET_SIZE(state) != MT_WORDS + 1)
		return 0;
	for (Py_ssize_t i = 0; i <= MT_WORDS; i++)
		words[i] = (uint32_t)PyLong_AsUnsignedLongMask(PyTuple_GET_ITEM(state, i));
	return PyErr_Occurred() ? -1 : 1;
}

/* CPython has the position before the words, somewhere in the object: found by what it says of
 * itself. */
static int find_random(PyObject *generator, PyObject *state)
{
	static uint32_t words[MT_WORDS + 1];
	size_t size = MT_WORDS * sizeof(*words);
	size_t end = (size_t)Py_TYPE(generator)->tp_basicsize;
	int status = read_words(state, words);

	for (size_t at = sizeof(PyObject); status > 0 && at + sizeof(*words) + size <= end;
	     at += sizeof(*words)) {
		uint32_t *found = (uint32_t *)(void *)((char *)generator + at);

		if (found[0] != words[MT_WORDS] || memcmp(&found[1], words, size) != 0)
			continue;
		random_state = (struct twister){.words = &found[1], .position = found};
		return 0;
	}
	return status < 0 ? -1 : 0;
}

int fresh_find(PyObject *key, PyObject *generator, PyObject *state, PyObject *numpy)
{
	uint32_t *words = NULL;

	has_numpy = numpy != Py_None;
	if (has_numpy)
		words = PyLong_AsVoidPtr(numpy);
	if (PyErr_Occurred())
		return -1;
	if (words != NULL)
		numpy_state = (struct twister){.words = words, .position = &words[MT_WORDS]};
	authkey = PyBytes_Check(key) ? Py_NewRef(key) : NULL;
	return find_random(generator, state);
}

static int fill_with_random(void *data, size_t length, struct err *err)
{
	size_t done = 0;

	while (done < length) {
		ssize_t got = getrandom((char *)data + done, length - done, 0);

		if (got < 0 && errno != EINTR)
			return err_errno(err, errno, "getrandom");
		done += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static int renew(const struct twister *twister, struct err *err)
{
	if (twister->words == NULL)
		return 0;
	*twister->position = MT_WORDS;
	return fill_with_random(twister->words, MT_WORDS * sizeof(*twister->words), err);
}

int fresh_make(struct fresh *ret, struct err *err)
{
	int status = 0;

	if (authkey != NULL)
		status = fill_with_random(PyBytes_AS_STRING(authkey),
					  (size_t)PyBytes_GET_SIZE(authkey), err);
	if (status == 0)
		status = renew(&random_state, err);
	if (status == 0)
		status = renew(&numpy_state, err);
	ret->is_random = random_state.words != NULL;
	ret->is_numpy = numpy_state.words != NULL || !has_numpy;
	return status;
}
