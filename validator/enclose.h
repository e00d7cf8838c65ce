/*
 * validator/enclose.h - the process gives up everything it does not need to judge what it
 * reads.
 */
#ifndef VALIDATOR_ENCLOSE_H
#define VALIDATOR_ENCLOSE_H

#include "base/err.h"

/* Privileges, files (Landlock, at least `abi_min`; 0: any) and system calls, and proves it.
 * After a failure some of it may hold: the process must end. */
nodiscard int enclose(unsigned abi_min, unsigned *ret_abi, struct err *err);

#endif
