/*
 * casemate-certs: certificates for development and small installations. Run by a person, trusts
 * its arguments and its folder, talks to nobody.
 */
#include <getopt.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "server/certs/command.h"

#define EXIT_USAGE  100
#define EXIT_SYSTEM 111

#define DAYS_MAX 3650 /* the life of the CA */

static const char help[] =
	"Usage: casemate certs COMMAND [OPTION]...\n"
	"Makes certificates for mutual TLS. Meant for development and small installations.\n"
	"\n"
	"  init             make a CA, a server and a client certificate and an empty CRL;\n"
	"                   keeps what is there and valid\n"
	"  issue NAME       make NAME.crt and NAME.key, and print the entry that lets NAME in\n"
	"  revoke NAME      put NAME.crt on the CRL\n"
	"  crl              renew the CRL\n"
	"\n"
	"  --pki DIR        the folder (default: $VAR/pki, or var/pki)\n"
	"  --force          replace files that exist; with init also the CA\n"
	"init:\n"
	"  --host NAME      a further DNS name or address of the server; may be repeated\n"
	"  --renew          replace certificates that end within 30 days or do not fit\n"
	"issue:\n"
	"  --role ROLE      executor (default), auditor or operator\n"
	"  --uri URI        the identity (default: spiffe://casemate.local/ROLE/NAME)\n"
	"  --dns NAME       name the client by DNS name instead; with --server a DNS name or\n"
	"                   address of the server; may be repeated\n"
	"  --common-name    name the client by the common name NAME only\n"
	"  --server         a server certificate instead of a client certificate\n"
	"  --days N         how long it is valid (default: 365; servers at most 825)\n"
	"  --not-before TIME, --not-after TIME\n"
	"                   exact validity, e.g. 2026-01-02T03:04:05Z\n"
	"\n"
	"  --help           this text\n"
	"  --version        the version\n";

struct command {
	const char *name;
	bool has_name; /* takes NAME */
	int (*run)(const struct certs_options *options, struct err *err);
};

static const struct command commands[] = {
	{"init", false, certs_init},
	{"issue", true, certs_issue},
	{"revoke", true, certs_revoke},
	{"crl", false, certs_crl},
};

enum option_code {
	OPTION_PKI = 1,
	OPTION_FORCE,
	OPTION_HOST,
	OPTION_RENEW,
	OPTION_ROLE,
	OPTION_URI,
	OPTION_COMMON_NAME,
	OPTION_SERVER,
	OPTION_DAYS,
	OPTION_NOT_BEFORE,
	OPTION_NOT_AFTER,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option long_options[] = {
	{"pki", required_argument, NULL, OPTION_PKI},
	{"force", no_argument, NULL, OPTION_FORCE},
	{"host", required_argument, NULL, OPTION_HOST},
	{"dns", required_argument, NULL, OPTION_HOST},
	{"renew", no_argument, NULL, OPTION_RENEW},
	{"role", required_argument, NULL, OPTION_ROLE},
	{"uri", required_argument, NULL, OPTION_URI},
	{"common-name", no_argument, NULL, OPTION_COMMON_NAME},
	{"server", no_argument, NULL, OPTION_SERVER},
	{"days", required_argument, NULL, OPTION_DAYS},
	{"not-before", required_argument, NULL, OPTION_NOT_BEFORE},
	{"not-after", required_argument, NULL, OPTION_NOT_AFTER},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{0},
};

static _Noreturn void usage(const char *what, const char *why)
{
	(void)fprintf(stderr, "casemate certs: %s%s%s\nTry 'casemate certs --help'.\n", what,
		      why != NULL ? ": " : "", why != NULL ? why : "");
	exit(EXIT_USAGE);
}

static const char *checked(const char *text, const char *fault)
{
	if (fault != NULL)
		usage(text, fault);
	return text;
}

static void add_host(struct certs_options *options, const char *host)
{
	/* init adds three of its own. */
	if (options->host_count + 3 >= MAKE_NAMES_MAX)
		usage(host, "too many names");
	options->hosts[options->host_count++] = checked(host, certs_host_fault(host));
}

static unsigned parse_days(const char *text)
{
	char *end = NULL;
	unsigned long days = strtoul(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || *end != '\0' || days < 1 || days > DAYS_MAX)
		usage(text, "a number of days from 1 to 3650");
	return (unsigned)days;
}

static time_t parse_time(const char *text)
{
	time_t time = certs_time(text);

	if (time <= 0)
		usage(text, "a time looks like 2026-01-02T03:04:05Z");
	return time;
}

static void take_flag(struct certs_options *options, int code)
{
	options->is_forced = options->is_forced || code == OPTION_FORCE;
	options->is_renewing = options->is_renewing || code == OPTION_RENEW;
	options->is_server = options->is_server || code == OPTION_SERVER;
	options->is_common_name = options->is_common_name || code == OPTION_COMMON_NAME;
}

static void take_option(struct certs_options *options, int code, const char *value)
{
	switch (code) {
	case OPTION_PKI:
		options->pki = value;
		break;
	case OPTION_HOST:
		add_host(options, value);
		break;
	case OPTION_ROLE:
		options->role = checked(value, certs_role_fault(value));
		break;
	case OPTION_URI:
		options->uri = checked(value, certs_uri_fault(value));
		break;
	case OPTION_DAYS:
		options->days = parse_days(value);
		break;
	case OPTION_NOT_BEFORE:
		options->not_before = parse_time(value);
		break;
	case OPTION_NOT_AFTER:
		options->not_after = parse_time(value);
		break;
	case OPTION_HELP:
		(void)fputs(help, stdout);
		exit(0);
	case OPTION_VERSION:
		(void)printf("casemate-certs %s\n", CASEMATE_VERSION);
		exit(0);
	default:
		take_flag(options, code);
		break;
	}
}

static const struct command *parse(int argc, char **argv, struct certs_options *options)
{
	const struct command *command = NULL;
	int code;

	opterr = 0;
	while ((code = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
		if (code == '?' || code == ':')
			usage(argv[optind - 1],
			      code == '?' ? "no such option" : "needs a value");
		take_option(options, code, optarg);
	}
	if (optind == argc)
		usage("a command is missing", NULL);
	for (size_t i = 0; i < ARRAY_COUNT(commands); i++)
		if (strcmp(argv[optind], commands[i].name) == 0)
			command = &commands[i];
	if (command == NULL)
		usage(argv[optind], "no such command");
	if (argc - optind - 1 != (command->has_name ? 1 : 0))
		usage(command->name, command->has_name ? "takes one NAME" : "takes no name");
	if (command->has_name)
		options->name = checked(argv[optind + 1], certs_name_fault(argv[optind + 1]));
	return command;
}

int main(int argc, char **argv)
{
	struct certs_options options = {.role = "executor"};
	char folder[PATH_MAX];
	const char *var = getenv("VAR");
	const struct command *command;
	struct err err;

	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	(void)snprintf(folder, sizeof(folder), "%s/pki",
		       var != NULL && var[0] != '\0' ? var : "var");
	options.pki = folder;
	command = parse(argc, argv, &options);
	if (command->run(&options, &err) < 0) {
		(void)fprintf(stderr, "casemate certs: %s\n", err.text);
		return EXIT_SYSTEM;
	}
	return 0;
}
