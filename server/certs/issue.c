#include <stdio.h>
#include <string.h>

#include "base/jsonw.h"
#include "server/certs/command.h"

#define PRINCIPAL_BYTES_MAX 4096 /* names are bounded, so the entry is */
#define URI_BYTES	    256

static const char *const default_hosts[] = {"localhost", "127.0.0.1", "::1"};

/* The entry for "principals" in the configuration; tenant and policy are the operator's choice.
 */
static int print_principal(const struct make_certificate *made, const char *role,
			   struct err *err)
{
	own_buf text;
	struct jsonw json;
	int status;

	buf_init(&text, PRINCIPAL_BYTES_MAX);
	jsonw_init(&json, &text);
	jsonw_object_open(&json);
	if (made->uri != NULL)
		jsonw_key_str(&json, "spiffe", made->uri);
	else if (made->host_count > 0)
		jsonw_key_str(&json, "dns", made->hosts[0]);
	else
		jsonw_key_str(&json, "cn", made->common_name);
	jsonw_key_str(&json, "tenant", "dev");
	jsonw_key(&json, "roles");
	jsonw_array_open(&json);
	jsonw_str(&json, role);
	jsonw_array_close(&json);
	jsonw_key_str(&json, "policy", "default");
	jsonw_object_close(&json);
	status = buf_check(&text, err);
	if (status == 0)
		(void)printf("add this to \"principals\" in the configuration (choose tenant, "
			     "policy), then reload:\n%s\n",
			     text.data);
	return status;
}

/* A server has hosts; a client has the URI unless --dns or --common-name names it otherwise. */
static void choose_names(const struct certs_options *options, const char *uri,
			 struct make_certificate *wanted)
{
	memcpy(wanted->hosts, options->hosts, sizeof(wanted->hosts));
	wanted->host_count = options->host_count;
	if (options->is_server && options->host_count == 0) {
		memcpy(wanted->hosts, default_hosts, sizeof(default_hosts));
		wanted->host_count = ARRAY_COUNT(default_hosts);
	}
	if (options->uri != NULL)
		wanted->uri = options->uri;
	else if (!options->is_server && options->host_count == 0 && !options->is_common_name)
		wanted->uri = uri;
}

static int issue_in(const struct store *store, const struct certs_options *options,
		    struct err *err)
{
	char uri[URI_BYTES];
	struct make_certificate wanted = {
		.usage = options->is_server ? MAKE_SERVER : MAKE_CLIENT,
		.common_name = options->name,
	};
	own_pair ca = {0};
	own_pair made = {0};
	int status;

	if (!options->is_forced &&
	    (store_has(store, options->name, "crt") || store_has(store, options->name, "key")))
		return err_set(err, EEXIST, "%s/%s.crt exists: choose another name, or --force",
			       store->path, options->name);
	(void)snprintf(uri, sizeof(uri), "spiffe://casemate.local/%s/%s", options->role,
		       options->name);
	choose_names(options, uri, &wanted);
	status = certs_dates(options, &wanted, err);
	if (status == 0)
		status = store_load_pair(store, "ca", &ca, err);
	if (status == 0)
		status = make_pair_new(&wanted, &ca, &made, err);
	if (status == 0)
		status = store_save_pair(store, options->name, &made, err);
	if (status < 0)
		return status;
	(void)printf("made %s/%s.crt and %s.key\n", store->path, options->name, options->name);
	return options->is_server ? 0 : print_principal(&wanted, options->role, err);
}

int certs_issue(const struct certs_options *options, struct err *err)
{
	struct store store = {.fd = -1};
	int status = store_open(&store, options->pki, false, err);

	if (status == 0)
		status = issue_in(&store, options, err);
	store_close(&store);
	return status;
}
