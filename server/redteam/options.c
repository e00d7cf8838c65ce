#include "server/redteam/options.h"

#include <getopt.h>

static const char help[] =
	"Attacks a Casemate service as any caller can, with his certificate, and says what\n"
	"held: what each probe tried, what it saw and which layer stopped it.\n\n"
	"usage: casemate redteam [options]\n\n"
	"  --url U --pki DIR --cert FILE --key FILE --cacert FILE\n"
	"                    the service and the certificate, as for casemate exec\n"
	"  --json            {\"probes\":[{\"id\",\"family\",\"held\",\"saw\",\"layer\"}]}\n"
	"  --only PREFIX     only probes whose id begins so: files., kernel.io_uring_setup\n"
	"  --list            say what each probe tries, and attack nothing\n"
	"  --probes DIR      probes of your own instead of the installed ones\n\n"
	"In a test build (make VARIANT=test all):\n"
	"  --mutate          start services of its own, each with one layer of the wall\n"
	"                    switched off, and say which probes notice\n"
	"  --layer NAME      with --mutate: only that layer\n"
	"  --quick           with --mutate: only the probes that claim to notice it\n"
	"  --prove           the same for probes: each against a service without any of the\n"
	"                    layers that stop it, where it must escape\n\n"
	"Run on the service's own host it also watches from there: a canary file, listeners, "
	"a\n"
	"process to be signalled, the jobs' namespaces. As root or as the service's user.\n\n"
	"exit code: 0 everything held; 1 something did not, or a layer is not noticed; 2 it\n"
	"could not be told\n";

enum {
	OPTION_JSON = PLACE_OPTIONS_END,
	OPTION_ONLY,
	OPTION_LIST,
	OPTION_PROBES,
	OPTION_MUTATE,
	OPTION_LAYER,
	OPTION_QUICK,
	OPTION_PROVE,
	OPTION_HELP,
	OPTION_VERSION
};

static const struct option long_options[] = {
	PLACE_OPTIONS,
	{"json", no_argument, NULL, OPTION_JSON},
	{"only", required_argument, NULL, OPTION_ONLY},
	{"list", no_argument, NULL, OPTION_LIST},
	{"probes", required_argument, NULL, OPTION_PROBES},
	{"mutate", no_argument, NULL, OPTION_MUTATE},
	{"layer", required_argument, NULL, OPTION_LAYER},
	{"quick", no_argument, NULL, OPTION_QUICK},
	{"prove", no_argument, NULL, OPTION_PROVE},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

static int take_flag(struct options *ret, int option, struct err *err)
{
	switch (option) {
	case OPTION_JSON:
		ret->is_json = true;
		return 0;
	case OPTION_LIST:
		ret->is_listing = true;
		return 0;
	case OPTION_MUTATE:
		ret->is_mutating = true;
		return 0;
	case OPTION_QUICK:
		ret->is_quick = true;
		return 0;
	case OPTION_PROVE:
		ret->is_proving = true;
		return 0;
	default:
		return err_set(err, EINVAL, "see casemate redteam --help");
	}
}

static int take_option(struct options *ret, int option, struct err *err)
{
	const struct {
		int option;
		const char **slot;
	} slots[] = {
		{OPTION_ONLY, &ret->only},
		{OPTION_PROBES, &ret->probes},
		{OPTION_LAYER, &ret->layer},
	};

	for (size_t i = 0; i < ARRAY_COUNT(slots); i++)
		if (slots[i].option == option) {
			*slots[i].slot = optarg;
			return 0;
		}
	return take_flag(ret, option, err);
}

int options_parse(struct options *ret, int argc, char **argv, struct err *err)
{
	struct place_given given = {0};
	int option;

	*ret = (struct options){.only = ""};
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == OPTION_HELP || option == 'h') {
			(void)fputs(help, stdout);
			return 1;
		}
		if (option == OPTION_VERSION) {
			(void)printf("casemate-redteam %s\n", CASEMATE_VERSION);
			return 1;
		}
		if (!place_take_option(&given, option, optarg) &&
		    take_option(ret, option, err) < 0)
			return -EINVAL;
	}
	if (optind != argc)
		return err_set(err, EINVAL, "'%s' is no option; see casemate redteam --help",
			       argv[optind]);
	if ((ret->is_quick || ret->layer != NULL) && !ret->is_mutating)
		return err_set(err, EINVAL, "--layer and --quick go with --mutate");
	if (ret->is_json && (ret->is_mutating || ret->is_listing || ret->is_proving))
		return err_set(err, EINVAL, "--json is for the attack itself");
	return place_fill(&given, &ret->place, err);
}
