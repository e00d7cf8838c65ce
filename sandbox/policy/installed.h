/*
 * sandbox/policy/installed.h - the code policies that come with the service, as they lie in
 * share/casemate/policies beside the programs.
 */
#ifndef SANDBOX_POLICY_INSTALLED_H
#define SANDBOX_POLICY_INSTALLED_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the document of that name; -ENOENT names those that there are. */
nodiscard int installed_policy(const char *name, struct buf *ret, struct err *err);

#endif
