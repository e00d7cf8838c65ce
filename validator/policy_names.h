/*
 * validator/policy_names.h - an allow and a deny list of a policy document, ready to be asked
 * (schema/name_list.h).
 */
#ifndef VALIDATOR_POLICY_NAMES_H
#define VALIDATOR_POLICY_NAMES_H

#include <jansson.h>

#include "schema/name_list.h"

/* `list` is {default, allow, deny} or NULL and must outlive the names. 0 or -ENOMEM. */
nodiscard int policy_names_load(const json_t *list, struct name_list *ret);

/* A sentence that names what a list with the default "deny" allows; owned by the caller. 0 and
 * NULL: everything that the list does not name is allowed. Or -ENOMEM. */
nodiscard int policy_names_hint(const struct name_list *names, const char *topic, char **ret);

void policy_names_done(struct name_list *names);

#endif
