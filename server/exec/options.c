#include "server/exec/options.h"

#include <getopt.h>
#include <string.h>

const char options_help[] =
	"Runs a program on a Casemate service and behaves like it: prints its output, exits "
	"with\n"
	"its exit code.\n\n"
	"usage: casemate exec [options] FILE|-\n\n"
	"  --url U           the service; default $CASEMATE_URL, else the address in\n"
	"                    var/listening, else https://localhost:8443\n"
	"  --pki DIR         folder with client.crt, client.key and ca.crt; default "
	"$CASEMATE_PKI,\n"
	"                    else $VAR/pki, else var/pki\n"
	"  --cert FILE --key FILE --cacert FILE\n"
	"                    each of them by its own name\n"
	"  --language L      default: from the file's extension or #! line, else python\n"
	"  --policy P        a policy that the program must satisfy besides yours: its name, "
	"or "
	"a\n"
	"                    file with a policy document\n"
	"  --stdin FILE      standard input of the program; - is this command's own\n"
	"  --arg A           an argument of the program; repeatable\n"
	"  --timeout MS      wall time the program may take\n"
	"  --output-dir DIR  write the files that the program leaves below DIR; what exists "
	"stays\n"
	"                    as it is, and no file becomes executable\n"
	"  --json            print the service's answer document instead\n"
	"  --help --version\n\n"
	"exit code: the program's own; 124 time is up; 126 the policy refused the program and "
	"nothing\n"
	"ran; 128+N ended by signal N; 125 the service or the way to it failed, or it refused; "
	"100\n"
	"wrong usage of this command\n";

enum {
	OPTION_LANGUAGE = PLACE_OPTIONS_END,
	OPTION_POLICY,
	OPTION_STDIN,
	OPTION_ARG,
	OPTION_TIMEOUT,
	OPTION_OUTPUT_DIR,
	OPTION_JSON,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option long_options[] = {
	PLACE_OPTIONS,
	{"language", required_argument, NULL, OPTION_LANGUAGE},
	{"policy", required_argument, NULL, OPTION_POLICY},
	{"stdin", required_argument, NULL, OPTION_STDIN},
	{"arg", required_argument, NULL, OPTION_ARG},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"output-dir", required_argument, NULL, OPTION_OUTPUT_DIR},
	{"json", no_argument, NULL, OPTION_JSON},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static int parse_timeout(const char *text, uint64_t *ret, struct err *err)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *text == '-' || value == 0)
		return err_set(err, EINVAL, "--timeout %s: give milliseconds", text);
	*ret = value;
	return 0;
}

static int take_option(struct options *ret, int option, struct err *err)
{
	switch (option) {
	case OPTION_LANGUAGE:
		ret->language = optarg;
		return 0;
	case OPTION_POLICY:
		ret->policy = optarg;
		return 0;
	case OPTION_STDIN:
		ret->stdin_path = optarg;
		return 0;
	case OPTION_ARG:
		if (ret->arg_count == OPTIONS_ARGS_MAX)
			return err_set(err, E2BIG, "more than %d --arg", OPTIONS_ARGS_MAX);
		ret->args[ret->arg_count++] = optarg;
		return 0;
	case OPTION_TIMEOUT:
		return parse_timeout(optarg, &ret->timeout_ms, err);
	case OPTION_OUTPUT_DIR:
		ret->output_folder = optarg;
		return 0;
	case OPTION_JSON:
		ret->is_json = true;
		return 0;
	default:
		return err_set(err, EINVAL, "see casemate exec --help");
	}
}

int options_parse(struct options *ret, int argc, char **argv, struct err *err)
{
	struct place_given given = {0};
	int option;

	*ret = (struct options){0};
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == OPTION_HELP || option == 'h') {
			(void)fputs(options_help, stdout);
			return 1;
		}
		if (option == OPTION_VERSION) {
			(void)printf("casemate-exec %s\n", CASEMATE_VERSION);
			return 1;
		}
		if (!place_take_option(&given, option, optarg) &&
		    take_option(ret, option, err) < 0)
			return -EINVAL;
	}
	if (optind != argc - 1)
		return err_set(err, EINVAL, "give one FILE, or - for standard input");
	ret->program = argv[optind];
	if (ret->stdin_path != NULL && strcmp(ret->stdin_path, "-") == 0 &&
	    strcmp(ret->program, "-") == 0)
		return err_set(err, EINVAL, "the program and its --stdin cannot both be -");
	return place_fill(&given, &ret->place, err);
}
