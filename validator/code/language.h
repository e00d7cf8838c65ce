/*
 * validator/code/language.h - the languages whose code is read, by the names that requests,
 * rules and policies use.
 */
#ifndef VALIDATOR_CODE_LANGUAGE_H
#define VALIDATOR_CODE_LANGUAGE_H

#define CODE_LANGUAGE_LIST(X)       \
	X(PYTHON, "python")         \
	X(JAVASCRIPT, "javascript") \
	X(BASH, "bash")

enum code_language {
#define X(symbol, name) CODE_##symbol,
	CODE_LANGUAGE_LIST(X)
#undef X
		CODE_LANGUAGES
};

#endif
