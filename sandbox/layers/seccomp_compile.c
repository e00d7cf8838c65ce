#include <string.h>

#include "base/memfd.h"
#include "sandbox/layers/seccomp_rules.h"

/* What happens to a call without a rule. A cell's init makes no other call than its few, so
 * another one is an attacker's; a program gets the answer that makes its libraries fall back.
 */
static uint32_t default_action(enum seccomp_list list)
{
	return list == SECCOMP_LIST_INIT ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(ENOSYS);
}

static uint32_t action_of(const struct seccomp_rule *rule, enum seccomp_voice voice)
{
	if (rule->verdict == SECCOMP_PASS)
		return SCMP_ACT_ALLOW;
	if (rule->verdict == SECCOMP_PRETEND)
		return SCMP_ACT_ERRNO(0);
	if (voice == SECCOMP_TELL)
		return SCMP_ACT_NOTIFY;
	return rule->verdict == SECCOMP_OBSERVE ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);
}

static int add_rule(scmp_filter_ctx context, const struct seccomp_rule *rule,
		    enum seccomp_voice voice, struct err *err)
{
	uint32_t action = action_of(rule, voice);
	int status;

	if (rule->verdict == SECCOMP_ABSENT)
		return 0;
	status = seccomp_rule_add_array(context, action, rule->number, rule->cond_count,
					rule->conds);
	if (status < 0)
		return err_errno(err, -status, "seccomp rule for %s", rule->name);
	return 0;
}

static int set_attributes(scmp_filter_ctx context, struct err *err)
{
	int status = seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	/* no_new_privs is ours to set and to check. */
	if (status == 0)
		status = seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0);
	/* 2: a binary tree over the numbers; some ten comparisons where a list takes 200. */
	if (status == 0)
		status = seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return status < 0 ? err_errno(err, -status, "seccomp attributes") : 0;
}

static int export_program(scmp_filter_ctx context, int *ret_memfd, struct err *err)
{
	own_fd memfd = -1;
	int status = memfd_new("seccomp", &memfd, err);

	if (status < 0)
		return status;
	status = seccomp_export_bpf(context, memfd);
	if (status < 0)
		return err_errno(err, -status, "compile a seccomp list");
	status = memfd_seal(memfd, err);
	if (status == 0)
		*ret_memfd = fd_take(&memfd);
	return status;
}

int seccomp_program_compile(enum seccomp_list list, enum seccomp_voice voice, int *ret_memfd,
			    struct err *err)
{
	return seccomp_program_compile_covered(list, 0, voice, ret_memfd, err);
}

int seccomp_program_compile_covered(enum seccomp_list list, uint32_t covers,
				    enum seccomp_voice voice, int *ret_memfd, struct err *err)
{
	struct seccomp_rules rules;
	scmp_filter_ctx context = seccomp_init(default_action(list));
	int status;

	if (context == NULL)
		return err_set(err, ENOMEM, "no memory for a seccomp filter");
	seccomp_rules_covered(list, covers, &rules);
	status = set_attributes(context, err);
	for (size_t i = 0; i < rules.count && status == 0; i++)
		status = add_rule(context, rules.list[i], voice, err);
	if (status == 0)
		status = export_program(context, ret_memfd, err);
	seccomp_release(context);
	return status;
}
