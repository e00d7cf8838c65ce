#include "validator/policies.h"

#include <fcntl.h>
#include <string.h>

#include "validator/code/policy_files.h"
#include "validator/json_guard.h"

int policies_read(int schema_folder, const struct schema *schema, json_t **ret, struct err *err)
{
	own_fd folder =
		openat(schema_folder, "../policies", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	own_json *documents = json_object();
	int status;

	if (folder < 0)
		return err_errno(err, errno,
				 "folder of policies beside the schemas: is the installation "
				 "complete?");
	if (documents == NULL)
		return err_set(err, ENOMEM, "memory for policies");
	status = policy_files_load(folder, schema, documents, err);
	if (status == 0)
		*ret = mem_take(&documents);
	return status;
}

/* A redefined "strict" would let pass what everybody else's strict does not. */
static void refuse_redefined(const json_t *installed, json_t *configured, struct faults *faults)
{
	const char *name;
	json_t *document;

	json_object_foreach(configured, name, document)
	{
		struct place here = {.key = name, .length = strlen(name)};

		if (json_object_get(installed, name) != NULL)
			fault_hint(faults_add(faults, &here, "built-in",
					      "the policy %s comes with the service", name),
				   "Give yours another name; let it narrow %s.", name);
	}
}

int policies_compile(json_t *installed, json_t *configured, struct policy_set **ret,
		     struct faults *faults)
{
	own_json *all = json_copy(installed);

	faults_init(faults);
	refuse_redefined(installed, configured, faults);
	if (faults->count > 0)
		return -EBADMSG;
	if (all == NULL || json_object_update(all, configured) != 0)
		return -ENOMEM;
	return policy_set_new(all, ret, faults);
}
