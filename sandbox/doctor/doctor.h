/*
 * sandbox/doctor/doctor.h - the questions casemate-doctor asks the kernel, and their answers.
 *
 * Run by an operator, as the user the service will run as. Nothing is believed that can be
 * tried: what cannot be undone is tried in a child, which is gone afterwards.
 */
#ifndef SANDBOX_DOCTOR_DOCTOR_H
#define SANDBOX_DOCTOR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum answer {
	ANSWER_USABLE,
	ANSWER_LIMITED, /* works, but less than it could */
	ANSWER_MISSING,
	ANSWER_MAX = ANSWER_MISSING
};

struct finding {
	enum answer answer;
	char detail[ERR_TEXT_MAX]; /* a number, a version, or why it does not work */
	uint32_t layers; /* preset to what the question gives; `ask` may take some away */
};

/* Whether the service starts without it. What only cells stand on is not required at a level
 * that has none. */
enum need {
	OPTIONAL,
	REQUIRED,
	REQUIRED_ON_HOST, /* at a level without cells only */
	NEED_MAX = REQUIRED_ON_HOST
};

struct question {
	const char *name;
	enum need need;
	void (*ask)(struct finding *finding);
	const char *remedy; /* when it is not usable */
	uint32_t gives;	    /* layers of a worker that stand on it; see finding.layers */
};

/* All of them, in the order they are printed. */
extern const struct question questions_namespaces[];
extern const size_t questions_namespaces_count;
extern const struct question questions_kernel[];
extern const size_t questions_kernel_count;
extern const struct question questions_settings[];
extern const size_t questions_settings_count;

/* Answers with what `act` says in a child: 0 is usable, and a negative status with its text is
 * missing. A child that dies is missing too. */
void try_in_child(int (*act)(struct err *err), struct finding *finding);

/* The configuration's uid_base by default. */
#define TRIAL_UID_FIRST 1900000000u

/* The user namespace of the warden, for a child that tries something inside. */
nodiscard int enter_user_namespace(struct err *err);

/* Sets the answer and its text. */
void answer(struct finding *finding, enum answer answer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
