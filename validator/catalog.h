/*
 * validator/catalog.h - the schema files, loaded and compiled once. They are part of the
 * service, not of a request: a fault in one of them stops the program.
 */
#ifndef VALIDATOR_CATALOG_H
#define VALIDATOR_CATALOG_H

#include "validator/schema.h"

/* X(symbol, file name before ".schema.json", name in the OpenAPI document). */
#define CATALOG_LIST(X)                                                  \
	X(REQUEST, "execution-request", "ExecutionRequest")              \
	X(EXECUTION, "execution", "Execution")                           \
	X(PROBLEM, "problem", "Problem")                                 \
	X(RUNTIMES, "runtimes", "Runtimes")                              \
	X(CAPABILITIES, "capabilities", "Capabilities")                  \
	X(HEALTH, "health", "Health")                                    \
	X(REPORT, "report", "Report")                                    \
	X(CONFIG, "config", "Config")                                    \
	X(RULES, "rules", "Rules")                                       \
	X(POLICY, "policy", "Policy")                                    \
	X(FINDING, "finding", "Finding")                                 \
	X(VALIDATION_REQUEST, "validation-request", "ValidationRequest") \
	X(VALIDATION, "validation", "Validation")

enum catalog_name {
#define X(symbol, file, component) CATALOG_##symbol,
	CATALOG_LIST(X)
#undef X
		CATALOG_COUNT
};

struct catalog {
	json_t *documents[CATALOG_COUNT];
	struct schema *schemas[CATALOG_COUNT];
};

/* Loads all files of the folder `fd` (borrowed). Legal to call catalog_done() after a failure.
 */
nodiscard int catalog_load(struct catalog *catalog, int fd, struct err *err);
void catalog_done(struct catalog *catalog);

#endif
