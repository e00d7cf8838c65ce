#include "server/redteam/mutate.h"

#include <string.h>

#include "schema/status.h"
#include "server/redteam/attack.h"
#include "server/redteam/service.h"

/* A run of the probes against a service without some layers: which of them escaped. */
struct run {
	bool has_escaped[PROBES_MAX];
	bool has_run;
};

/* The kernel takes neither Landlock nor a filter from a process without no_new_privs, so the
 * three go together, and what is missed is what is missed beyond the other two. */
static const char *const without_privs[] = {"no_new_privileges", "landlock", "seccomp", NULL};
static const char *const without_both[] = {"landlock", "seccomp", NULL};
static const char *const without_none[] = {NULL};

static bool is_wanted(const struct options *options, const struct probe *probe,
		      const char *layer)
{
	if (strncmp(probe->id, options->only, strlen(options->only)) != 0)
		return false;
	/* The service's own protocol does not change with the wall. */
	if (probe->judge == JUDGE_HTTP || probe->judge == JUDGE_TLS)
		return false;
	if (!options->is_quick)
		return true;
	return layer == NULL ? *probe->alone != '\0' : strcmp(probe->alone, layer) == 0;
}

/* That the service owns up to a missing layer is no excuse here: we took it away. */
static bool has_escaped(const struct verdict *verdict)
{
	return verdict->end == END_ESCAPED || verdict->end == END_LACKING;
}

static int attack_with(const struct service *service, const struct options *options,
		       const struct probes *probes, const char *layer, struct run *ret,
		       struct err *err)
{
	static struct target target;
	int status = target_open(&target, &service->place, probes, service->pid, err);

	if (status < 0)
		return status;
	for (size_t i = 0; i < probes->count && status == 0; i++) {
		struct verdict verdict;

		if (!is_wanted(options, &probes->list[i], layer))
			continue;
		status = attack(&target, &probes->list[i], &verdict, err);
		ret->has_escaped[i] = has_escaped(&verdict);
	}
	target_close(&target);
	return status;
}

static int run_without(struct service *service, const struct options *options,
		       const struct probes *probes, const char *const layers_off[],
		       const char *layer, struct run *ret, struct err *err)
{
	int status;

	*ret = (struct run){.has_run = true};
	status = service_start(service, layers_off, err);
	if (status == 0)
		status = attack_with(service, options, probes, layer, ret, err);
	service_stop(service);
	return status;
}

/* One line: the layer, how many probes noticed, which. */
static bool print_line(const struct probes *probes, const char *layer,
		       const struct run *without, const struct run *control)
{
	unsigned count = 0;
	bool is_absent = false;

	for (size_t i = 0; i < probes->count; i++) {
		count += without->has_escaped[i] && !control->has_escaped[i];
		is_absent |=
			control->has_escaped[i] && strcmp(probes->list[i].needs, layer) == 0;
	}
	(void)printf("| `%s` | %u |", layer, count);
	for (size_t i = 0; i < probes->count; i++)
		if (without->has_escaped[i] && !control->has_escaped[i])
			(void)printf(" %s", probes->list[i].id);
	if (count == 0 && is_absent)
		(void)printf(" it is not there for this user anyway");
	(void)printf(" |\n");
	(void)fflush(stdout);
	return count > 0 || is_absent;
}

static int mutate_layer(struct service *service, const struct options *options,
			const struct probes *probes, const char *layer, bool *ret_is_noticed,
			struct err *err)
{
	static struct run whole, without, control;
	const char *const one[] = {layer, NULL};
	bool is_privs = strcmp(layer, without_privs[0]) == 0;
	int status = 0;

	/* A probe that escapes anyway has not noticed anything. Once is enough. */
	if (!whole.has_run)
		status = run_without(service, options, probes, without_none, options->layer,
				     &whole, err);
	if (status == 0)
		status = run_without(service, options, probes, is_privs ? without_privs : one,
				     layer, &without, err);
	if (status == 0 && is_privs)
		status = run_without(service, options, probes, without_both, layer, &control,
				     err);
	if (status < 0)
		return err_prefix(err, "without %s", layer);
	*ret_is_noticed = print_line(probes, layer, &without, is_privs ? &control : &whole);
	return 0;
}

static int mutate_all(struct service *service, const struct options *options,
		      const struct probes *probes, struct err *err)
{
	unsigned missed = 0, tried = 0;

	(void)printf("| layer switched off | probes that notice | which |\n|---|---|---|\n");
	for (unsigned i = 0; i < LAYER_COUNT; i++) {
		bool is_noticed = false;
		int status;

		if (options->layer != NULL && strcmp(options->layer, layer_name(i)) != 0)
			continue;
		tried++;
		status =
			mutate_layer(service, options, probes, layer_name(i), &is_noticed, err);
		if (status < 0)
			return status;
		missed += !is_noticed;
	}
	if (tried == 0)
		return err_set(err, EINVAL, "there is no layer '%s'", options->layer);
	return missed == 0 ? 0 : 1;
}

/* --- single probes ----------------------------------------------------------------------- */

#define LAYERS_OFF_MAX 8 /* of one probe; the most any has is four */

/* The words of `probe->layers` as a list ended by NULL; false when one of them cannot be
 * switched off, because it is no layer of the wall. `store` holds the words. */
static bool list_layers(const struct probe *probe, char store[], size_t size,
			const char *ret[LAYERS_OFF_MAX])
{
	size_t count = 0;
	char *rest = NULL;

	(void)snprintf(store, size, "%s", probe->layers);
	for (char *word = strtok_r(store, " ", &rest); word != NULL;
	     word = strtok_r(NULL, " ", &rest)) {
		bool is_layer = false;

		for (unsigned i = 0; i < LAYER_COUNT; i++)
			is_layer |= strcmp(layer_name(i), word) == 0;
		if (!is_layer || count == LAYERS_OFF_MAX - 1)
			return false;
		ret[count++] = word;
	}
	ret[count] = NULL;
	return true;
}

/* One escape proves that the probe notices. A job that is to wait beside it can be late on a
 * busy machine, so a probe that saw nothing looks again. */
#define PROVE_TRIES 3

static int prove_one(struct target *target, const struct probe *probe, struct verdict *ret,
		     struct err *err)
{
	int status = 0;

	for (int i = 0; i < PROVE_TRIES && status == 0; i++) {
		status = attack(target, probe, ret, err);
		if (has_escaped(ret))
			break;
	}
	return status;
}

/* All probes with the same layers as `first`, against the service that runs without them. */
static int prove_set(const struct service *service, const struct options *options,
		     const struct probes *probes, const struct probe *first, unsigned *ret_held,
		     struct err *err)
{
	static struct target target;
	int status = target_open(&target, &service->place, probes, service->pid, err);

	if (status < 0)
		return status;
	for (size_t i = 0; i < probes->count && status == 0; i++) {
		const struct probe *probe = &probes->list[i];
		struct verdict verdict;

		if (!is_wanted(options, probe, NULL) ||
		    strcmp(probe->layers, first->layers) != 0)
			continue;
		status = prove_one(&target, probe, &verdict, err);
		if (status < 0)
			break;
		*ret_held += !has_escaped(&verdict);
		(void)printf("%-8s %-38s without %s: %s\n",
			     has_escaped(&verdict) ? "escaped" : "HELD", probe->id,
			     probe->layers, verdict.saw);
		(void)fflush(stdout);
	}
	target_close(&target);
	return status;
}

static bool is_first_of_its_set(const struct options *options, const struct probes *probes,
				size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (is_wanted(options, &probes->list[i], NULL) &&
		    strcmp(probes->list[i].layers, probes->list[index].layers) == 0)
			return false;
	return is_wanted(options, &probes->list[index], NULL);
}

static int prove_all(struct service *service, const struct options *options,
		     const struct probes *probes, struct err *err)
{
	unsigned held = 0;

	for (size_t i = 0; i < probes->count; i++) {
		const struct probe *first = &probes->list[i];
		const char *layers[LAYERS_OFF_MAX];
		char store[256];
		int status;

		if (!is_first_of_its_set(options, probes, i) ||
		    !list_layers(first, store, sizeof(store), layers))
			continue;
		status = service_start(service, layers, err);
		if (status == 0)
			status = prove_set(service, options, probes, first, &held, err);
		service_stop(service);
		if (status < 0)
			return err_prefix(err, "without %s", first->layers);
	}
	return held == 0 ? 0 : 1;
}

/* --- both -------------------------------------------------------------------------------- */

#ifdef CASEMATE_TEST_BUILD
static const bool is_test_build = true;
#else
static const bool is_test_build = false;
#endif

static int with_service(int (*run)(struct service *, const struct options *,
				   const struct probes *, struct err *),
			const struct options *options, const struct probes *probes,
			struct err *err)
{
	struct service service;
	int status;

	if (!is_test_build)
		return err_set(err, EPERM,
			       "layers can be switched off in a test build only "
			       "(make VARIANT=test all)");
	status = service_open(&service, err);
	if (status == 0)
		status = run(&service, options, probes, err);
	/* The folder has the log that an error names. */
	if (status < 0)
		service_stop(&service);
	else
		service_close(&service);
	return status;
}

int mutate(const struct options *options, const struct probes *probes, struct err *err)
{
	return with_service(mutate_all, options, probes, err);
}

int prove(const struct options *options, const struct probes *probes, struct err *err)
{
	return with_service(prove_all, options, probes, err);
}
