/*
 * validator/openapi.h - the OpenAPI 3.1 document, composed from the schema files that requests
 * are checked with, so that it cannot promise something else.
 */
#ifndef VALIDATOR_OPENAPI_H
#define VALIDATOR_OPENAPI_H

#include "validator/catalog.h"

/* A new document of the caller's. */
nodiscard int openapi_make(const struct catalog *catalog, json_t **ret, struct err *err);

#endif
