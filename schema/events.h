/*
 * schema/events.h - what an execution can tell of itself while it runs: each call refused, each
 * limit reached, each program started.
 *
 * The warden makes events from what the kernel told it, the validator writes them as JSON, the
 * ledger records how many of each kind there were. Nothing in them is the job's own word but
 * the arguments of its calls, which are marked as such by being in `detail` and `target`, and
 * the whole of policy_denied: it comes out of the worker's report, which a job can forge or
 * leave unwritten.
 */
#ifndef SCHEMA_EVENTS_H
#define SCHEMA_EVENTS_H

#include <stdint.h>

#include "base/wire_gen.h"
#include "schema/limits.h"

#define EVENT_SEVERITY_LIST(X)                                                                     \
	X(INFO, "info", "ordinary programs do this")                                               \
	X(LOW, "low", "a program that expects more than it has")                                   \
	X(MEDIUM, "medium", "no business of a program in here")                                    \
	X(HIGH, "high", "what an attempt to break out looks like")

enum event_severity {
#define X(symbol, name, meaning) SEVERITY_##symbol,
	EVENT_SEVERITY_LIST(X)
#undef X
	SEVERITY_MAX = SEVERITY_HIGH
};

/* X(symbol, JSON name, usual severity, what it means, hint for a person or a language model).
 * In a hint, %s stands for the target of the call; what is in brackets is left out where there is
 * none that one could ask for. */
#define EVENT_KIND_LIST(X)                                                                         \
	X(NETWORK, "network_denied", LOW, "a socket was asked for, or used",                       \
	  "The network is off for this policy; work offline with what is installed and what the "  \
	  "request brings in files, or ask the operator for egress[ to %s].")                      \
	X(NAMESPACE, "namespace_denied", HIGH, "a namespace was to be made or entered",            \
	  "Code cannot make or enter namespaces here; containers and sandboxes cannot be started " \
	  "inside an execution. Leave this out.")                                                  \
	X(MOUNT, "mount_denied", HIGH, "a mount or another root was asked for",                    \
	  "Nothing can be mounted here; write to the working folder or /tmp instead.")             \
	X(PROCESS, "process_access_denied", HIGH, "another process was to be read or steered",     \
	  "Debuggers and tracers do not work here; print what you want to know instead.")          \
	X(KERNEL, "kernel_interface_denied", HIGH, "a part of the kernel that jobs do not get",    \
	  "This interface of the kernel is closed to executions; use ordinary files, pipes and "   \
	  "threads instead.")                                                                      \
	X(FILE, "file_interface_denied", MEDIUM, "files by other ways than paths, or shared locks",\
	  "Open files by their path in the working folder; locks across executions and "           \
	  "watching files are not available.")                                                     \
	X(TERMINAL, "terminal_denied", MEDIUM, "a terminal was to be steered",                     \
	  "There is no terminal here; read from stdin and write to stdout.")                       \
	X(ADMINISTRATION, "administration_denied", MEDIUM, "a setting of the machine",             \
	  "An execution cannot administer the machine it runs on. Leave this out.")                \
	X(IDENTITY, "identity_change_denied", MEDIUM, "another user, group or capability",         \
	  "The code runs as one unprivileged user and stays that; sudo, su and setuid do not "     \
	  "work. Leave this out.")                                                                 \
	X(PROGRAM, "program_started", INFO, "a program was started (execve)", "")                  \
	X(PROGRAM_DENIED, "program_denied", LOW, "a program outside of the read-only root",        \
	  "Only installed programs can be started, not files of the working folder; run scripts "  \
	  "through their interpreter (bash script.sh, python3 script.py).")                        \
	X(LIMIT, "limit_reached", LOW, "a limit was reached",                                      \
	  "Do less[, or ask for more in limits.%s].")                                              \
	X(PROCESSES, "processes_started", INFO, "more processes or threads than the first", "")    \
	X(FILES, "files_left", INFO, "files were left in the workspace", "")                       \
	X(POLICY, "policy_denied", MEDIUM, "a name that the policy denies came to be at run time", \
	  "The policy does not allow %s, however the code comes by it. Do it another way, with "   \
	  "what the policy allows.")

enum event_kind {
#define X(symbol, name, severity, meaning, hint) EVENT_##symbol,
	EVENT_KIND_LIST(X)
#undef X
	EVENT_KINDS
};

const char *event_severity_name(unsigned severity);
const char *event_kind_name(unsigned kind);
const char *event_kind_meaning(unsigned kind);
const char *event_kind_hint(unsigned kind);
enum event_severity event_kind_severity(unsigned kind);

/* One entry of events[]: equal ones are one, with a count. */
#define EVENT_FIELDS(F)                                                                            \
	F(U8, kind, 0, EVENT_KINDS - 1)                                                            \
	F(U8, severity, 0, SEVERITY_MAX)                                                           \
	F(U8, is_rest, 0, 1) /* all others of this kind: counted, not looked at */                 \
	F(U64, count, 1, UINT64_MAX)                                                               \
	F(U64, first_us, 0, UINT64_MAX) /* since the execution began */                            \
	F(U32, pid, 0, UINT32_MAX) /* as the job sees it; 0: not known */                          \
	F(U32, tid, 0, UINT32_MAX)                                                                 \
	F(STR, call, 0, LIMIT_EVENT_CALL_BYTES) /* name of the system call; empty: none */         \
	F(STR, detail, 0, LIMIT_EVENT_TEXT_BYTES) /* its arguments, decoded */                     \
	F(STR, target, 0, LIMIT_EVENT_TEXT_BYTES) /* destination, path or limit: for the hint */
WIRE_DECLARE(event, EVENT_FIELDS)

#endif
