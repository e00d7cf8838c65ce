/*
 * validator/process.h - the validator as a process of the service: set up by the supervisor,
 * asked by the ledger, holding nothing.
 *
 * Life: HELLO, VALIDATOR_CONFIG (the schema folder, the policies), PEER, COMMIT. At COMMIT it
 * loads schemas, rules and policies, gives up every right, proves it and says READY; only then
 * does it read a byte that came from a caller. One thread, one question after the other.
 */
#ifndef VALIDATOR_PROCESS_H
#define VALIDATOR_PROCESS_H

/* Serves the set-up channel `take_fd` until the end; returns the exit code. */
int process_serve(int take_fd);

#endif
