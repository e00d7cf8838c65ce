#include "server/client/place.h"

#include <string.h>

#define URL_DEFAULT "https://localhost:8443"

static int copy(char *ret, size_t size, const char *text, struct err *err)
{
	int length = snprintf(ret, size, "%s", text);

	if (length < 0 || (size_t)length >= size)
		return err_set(err, ENAMETOOLONG, "'%.40s...' is too long", text);
	return 0;
}

static const char *var_folder(void)
{
	const char *var = getenv("VAR");

	return var == NULL || *var == '\0' ? "var" : var;
}

/* The one line that a running service leaves in its state folder; false when there is none. */
static bool read_listening(char *ret, size_t size)
{
	char path[PATH_MAX];
	FILE *file;
	bool is_read;

	(void)snprintf(path, sizeof(path), "%s/listening", var_folder());
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	is_read = fgets(ret, (int)size, file) != NULL;
	(void)fclose(file);
	ret[is_read ? strcspn(ret, "\n") : 0] = '\0';
	return is_read && ret[0] != '\0';
}

static int fill_url(struct place *ret, const char *given, struct err *err)
{
	const char *url = given != NULL ? given : getenv("CASEMATE_URL");
	size_t length;
	int status = 0;

	if (url != NULL && *url != '\0')
		status = copy(ret->url, sizeof(ret->url), url, err);
	else if (!read_listening(ret->url, sizeof(ret->url)))
		status = copy(ret->url, sizeof(ret->url), URL_DEFAULT, err);
	if (status < 0)
		return status;
	length = strlen(ret->url);
	while (length > 0 && ret->url[length - 1] == '/')
		ret->url[--length] = '\0';
	if (strncmp(ret->url, "https://", 8) != 0)
		return err_set(err, EINVAL, "--url %s: the service speaks https:// only",
			       ret->url);
	return 0;
}

static int fill_file(char *ret, const char *given, const char *pki, const char *name,
		     struct err *err)
{
	int length;

	if (given != NULL)
		return copy(ret, PATH_MAX, given, err);
	if (pki != NULL)
		length = snprintf(ret, PATH_MAX, "%s/%s", pki, name);
	else
		length = snprintf(ret, PATH_MAX, "%s/pki/%s", var_folder(), name);
	if (length < 0 || length >= PATH_MAX)
		return err_set(err, ENAMETOOLONG, "the path of %s is too long", name);
	return 0;
}

bool place_take_option(struct place_given *given, int option, const char *value)
{
	switch (option) {
	case PLACE_OPTION_URL:
		given->url = value;
		return true;
	case PLACE_OPTION_PKI:
		given->pki = value;
		return true;
	case PLACE_OPTION_CERT:
		given->certificate = value;
		return true;
	case PLACE_OPTION_KEY:
		given->key = value;
		return true;
	case PLACE_OPTION_CACERT:
		given->authority = value;
		return true;
	default:
		return false;
	}
}

int place_fill(const struct place_given *given, struct place *ret, struct err *err)
{
	const char *pki = given->pki != NULL ? given->pki : getenv("CASEMATE_PKI");
	int status = fill_url(ret, given->url, err);

	if (status == 0)
		status =
			fill_file(ret->certificate, given->certificate, pki, "client.crt", err);
	if (status == 0)
		status = fill_file(ret->key, given->key, pki, "client.key", err);
	if (status == 0)
		status = fill_file(ret->authority, given->authority, pki, "ca.crt", err);
	return status;
}
