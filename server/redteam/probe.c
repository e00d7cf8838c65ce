#include "server/redteam/probe.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>

#include "base/self.h"

#define SUFFIX	".probe"
#define PRELUDE "prelude.py"

/* The part of an id before its dot, and the family as people call it. */
static const struct {
	const char *prefix, *name;
} families[] = {
	{"files.", "files"},	       {"processes.", "processes"}, {"network.", "network"},
	{"kernel.", "kernel surface"}, {"resources.", "resources"}, {"cross.", "cross-job"},
	{"protocol.", "protocol"},
};

static const char *const judges[] = {"job",  "differ", "event", "namespace", "cgroup",
				     "user", "core",   "gone",	"http",	     "tls"};

const char *probe_word(const char **at, size_t *ret_length)
{
	const char *start = *at + strspn(*at, " ");
	size_t length = strcspn(start, " ");

	*at = start + length;
	*ret_length = length;
	return length == 0 ? NULL : start;
}

bool probe_has_word(const char *words, const char *word)
{
	const char *start;
	size_t length;

	while ((start = probe_word(&words, &length)) != NULL)
		if (strlen(word) == length && strncmp(start, word, length) == 0)
			return true;
	return false;
}

static int read_file(const char *folder, const char *name, char **ret, struct err *err)
{
	char path[PATH_MAX];
	own_mem char *text = malloc(PROBE_BYTES_MAX + 1);
	FILE *file;
	size_t length;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "re");
	if (text == NULL || file == NULL) {
		int failed = errno;

		if (file != NULL)
			(void)fclose(file);
		return err_errno(err, failed, "read %s", path);
	}
	length = fread(text, 1, PROBE_BYTES_MAX + 1, file);
	(void)fclose(file);
	if (length > PROBE_BYTES_MAX || memchr(text, '\0', length) != NULL)
		return err_set(err, E2BIG, "%s is too large or no text", path);
	text[length] = '\0';
	*ret = mem_take(&text);
	return 0;
}

static int set_judge(struct probe *probe, char *value, struct err *err)
{
	char *detail = strchr(value, ' ');

	if (detail != NULL) {
		*detail = '\0';
		probe->detail = detail + 1;
	}
	for (size_t i = 0; i < ARRAY_COUNT(judges); i++)
		if (strcmp(value, judges[i]) == 0) {
			probe->judge = (enum judge)i;
			return 0;
		}
	return err_set(err, EINVAL, "%s: there is no judge '%s'", probe->id, value);
}

static int set_line(struct probe *probe, char *line, struct err *err)
{
	const struct {
		const char *key;
		const char **slot;
	} keys[] = {
		{"tries", &probe->tries},     {"layers", &probe->layers},
		{"alone", &probe->alone},     {"tells", &probe->tells},
		{"needs", &probe->needs},     {"limits", &probe->limits},
		{"expects", &probe->expects}, {"ends", &probe->ends},
	};
	char *value = strstr(line, ": ");

	if (value == NULL)
		return err_set(err, EINVAL, "%s: not a 'key: value' line: %.60s", probe->id,
			       line);
	*value = '\0';
	value += 2;
	if (strcmp(line, "judge") == 0)
		return set_judge(probe, value, err);
	for (size_t i = 0; i < ARRAY_COUNT(keys); i++)
		if (strcmp(line, keys[i].key) == 0) {
			*keys[i].slot = value;
			return 0;
		}
	return err_set(err, EINVAL, "%s: there is no key '%.40s'", probe->id, line);
}

static int set_section(struct probe *probe, const char *name, const char *text, struct err *err)
{
	const struct {
		const char *key;
		const char **slot;
	} sections[] = {
		{"code", &probe->code},	    {"before", &probe->before},
		{"beside", &probe->beside}, {"request", &probe->request},
		{"body", &probe->body},
	};

	for (size_t i = 0; i < ARRAY_COUNT(sections); i++)
		if (strcmp(name, sections[i].key) == 0) {
			*sections[i].slot = text;
			return 0;
		}
	return err_set(err, EINVAL, "%s: there is no section '%.40s'", probe->id, name);
}

/* Cuts the text into its header lines and its sections, in place. */
static int parse(struct probe *probe, struct err *err)
{
	char *at = probe->text;
	bool is_header = true;
	int status = 0;

	while (status == 0 && *at != '\0') {
		char *line = at;
		char *end = strchr(at, '\n');

		if (end == NULL)
			return err_set(err, EINVAL, "%s: no newline at its end", probe->id);
		at = end + 1;
		if (strncmp(line, "=== ", 4) == 0) {
			*end = '\0';
			/* Ends the section before this one. */
			if (!is_header)
				line[0] = '\0';
			is_header = false;
			status = set_section(probe, line + 4, at, err);
		} else if (is_header) {
			*end = '\0';
			status = set_line(probe, line, err);
		}
	}
	return status;
}

static int check(const struct probe *probe, struct err *err)
{
	bool has_work = probe->code != NULL || probe->request != NULL || probe->body != NULL ||
			probe->judge == JUDGE_TLS;

	if (*probe->tries == '\0' || *probe->layers == '\0' || !has_work)
		return err_set(err, EINVAL, "%s: it needs tries, layers and something to do",
			       probe->id);
	if (probe->family == NULL)
		return err_set(err, EINVAL, "%s: there is no such family", probe->id);
	return 0;
}

static int load_one(const char *folder, const char *file, struct probe *ret, struct err *err)
{
	int status;

	*ret = (struct probe){.tries = "",
			      .layers = "",
			      .alone = "",
			      .tells = "",
			      .needs = "",
			      .limits = "",
			      .expects = "",
			      .ends = "",
			      .detail = ""};
	(void)snprintf(ret->id, sizeof(ret->id), "%.*s",
		       (int)(strlen(file) - (sizeof(SUFFIX) - 1)), file);
	for (size_t i = 0; i < ARRAY_COUNT(families); i++)
		if (strncmp(ret->id, families[i].prefix, strlen(families[i].prefix)) == 0)
			ret->family = families[i].name;
	status = read_file(folder, file, &ret->text, err);
	if (status == 0)
		status = parse(ret, err);
	return status < 0 ? status : check(ret, err);
}

static int is_probe(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > sizeof(SUFFIX) - 1 &&
	       strcmp(entry->d_name + length - (sizeof(SUFFIX) - 1), SUFFIX) == 0;
}

static int load_all(const char *folder, struct probes *ret, struct err *err)
{
	struct dirent **names;
	int count = scandir(folder, &names, is_probe, alphasort);
	int status = 0;

	if (count < 0)
		return err_errno(err, errno, "list the probes in %s", folder);
	if (count == 0 || count > PROBES_MAX)
		status = err_set(err, EINVAL, "%d probes in %s", count, folder);
	for (int i = 0; i < count; i++) {
		if (status == 0)
			status = load_one(folder, names[i]->d_name, &ret->list[ret->count++],
					  err);
		free(names[i]);
	}
	free(names);
	return status;
}

int probes_load(const char *folder, struct probes *ret, struct err *err)
{
	char installed[PATH_MAX];
	int status = 0;

	ret->count = 0;
	ret->prelude = NULL;
	if (folder == NULL) {
		status = self_path("../../share/casemate/redteam", installed, sizeof(installed),
				   err);
		folder = installed;
	}
	if (status == 0)
		status = read_file(folder, PRELUDE, &ret->prelude, err);
	if (status == 0)
		status = load_all(folder, ret, err);
	if (status < 0)
		probes_done(ret);
	return status;
}

void probes_done(struct probes *probes)
{
	free(mem_take(&probes->prelude));
	for (size_t i = 0; i < probes->count; i++)
		free(probes->list[i].text);
	probes->count = 0;
}
