/*
 * schema/wire/runtime_limits.h - the limits of a job whose request leaves them out, where a
 * language needs others than those of schema/limits.h; 0: those. Not the workspace's size:
 * input files are compared with it before the language is known.
 */
#ifndef SCHEMA_WIRE_RUNTIME_LIMITS_H
#define SCHEMA_WIRE_RUNTIME_LIMITS_H

#include "schema/limits.h"

#define RUNTIME_LIMIT_FIELDS(F)                         \
	F(U64, wall_ms, 0, LIMIT_WALL_MS_MAX)           \
	F(U64, cpu_ms, 0, LIMIT_CPU_MS_MAX)             \
	F(U64, memory_bytes, 0, LIMIT_MEMORY_BYTES_MAX) \
	F(U64, output_bytes, 0, LIMIT_OUTPUT_BYTES_MAX) \
	F(U64, processes, 0, LIMIT_PROCESSES_MAX)       \
	F(U64, open_files, 0, LIMIT_OPEN_FILES_MAX)

#endif
