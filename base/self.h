/*
 * base/self.h - where this program's own files are.
 *
 * The layout is the same in a build tree and in an installation, so a program finds its
 * neighbours relative to its own binary, and nothing absolute is compiled in:
 *   <prefix>/bin/casemate
 *   <prefix>/libexec/casemate/casemate-*
 *   <prefix>/share/casemate/{schema,migrations,runtimes}
 */
#ifndef BASE_SELF_H
#define BASE_SELF_H

#include <stddef.h>

#include "base/err.h"

/* The folder of the running binary, absolute, without a slash at its end. */
nodiscard int self_folder(char *ret, size_t size, struct err *err);

/* "<folder of the running binary>/<relative>", e.g. self_path("../../share/casemate", ...). */
nodiscard int self_path(const char *relative, char *ret, size_t size, struct err *err);

#endif
