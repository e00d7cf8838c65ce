/*
 * casemate-validator: reads what nobody trusts (requests, results of jobs) and holds nothing.
 * As a child of the supervisor it serves descriptor 3; run by hand it checks a configuration or
 * prints the API description.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/wire/setup.h"
#include "validator/code/check_command.h"
#include "validator/oneshot.h"
#include "validator/process.h"
#include "validator/schema_command.h"

#define EXIT_USAGE 2

static const char usage[] =
	"usage: casemate-validator config FILE   check a configuration (- is standard input) "
	"and\n"
	"                                        print it with defaults filled in\n"
	"       casemate-validator openapi       print the OpenAPI 3.1 description of the API\n"
	"       casemate-validator check         judge source text (--help)\n"
	"       casemate-validator schema check  judge a document by a JSON Schema (--help)\n"
	"       casemate-validator --help | --version\n"
	"\n"
	"Without arguments it is a part of the service and is started by `casemate serve`.\n"
	"Exit codes: 0 good, 1 faults (on standard error, with JSON pointers), 2 wrong "
	"usage.\n";

/* A source takes some hundred KiB and gives them back; to ask the kernel for them each time was
 * 7% of what examining 100 lines costs. */
#define HEAP_PAD_BYTES	(1 << 20)
#define HEAP_TRIM_BYTES (4 << 20)

static int serve(void)
{
	(void)mallopt(M_TOP_PAD, HEAP_PAD_BYTES);
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_TRIM_BYTES);
	return process_serve(SETUP_FD);
}

int main(int argc, char **argv)
{
	if (argc == 1 && fcntl(SETUP_FD, F_GETFD) >= 0)
		return serve();
	if (argc == 3 && strcmp(argv[1], "config") == 0)
		return oneshot_config(argv[2], stdout, stderr);
	if (argc == 2 && strcmp(argv[1], "openapi") == 0)
		return oneshot_openapi(stdout, stderr);
	if (argc >= 2 && strcmp(argv[1], "schema") == 0)
		return schema_command(argc - 2, argv + 2, stdout, stderr);
	if (argc >= 2 && strcmp(argv[1], "check") == 0)
		return check_command(argc - 2, argv + 2, stdout, stderr);
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("casemate-validator %s\n", CASEMATE_VERSION) < 0 ? EXIT_FAILURE
									       : 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return fputs(usage, stdout) == EOF ? EXIT_FAILURE : EXIT_SUCCESS;
	(void)fputs(usage, stderr);
	return EXIT_USAGE;
}
