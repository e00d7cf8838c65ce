/*
 * validator/schema_faults.h - verdicts of the schema library as the faults of a problem
 * document: few, and those that help the caller most.
 */
#ifndef VALIDATOR_SCHEMA_FAULTS_H
#define VALIDATOR_SCHEMA_FAULTS_H

#include "validator/faults.h"
#include "validator/schema.h"

/* True when `instance` is valid. Otherwise `faults` has at least one fault more; NULL: only the
 * verdict is wanted. An instance that cannot be judged within the limits is not valid. */
bool schema_check(const struct schema *schema, json_t *instance, struct faults *faults);

#endif
