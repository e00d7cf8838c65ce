/*
 * validator/code/kinds.h - the node types and fields of three grammars, in words of our own.
 *
 * What means the same in Python, JavaScript and bash is one kind, so that the code that walks a
 * tree is written once. A type without a kind is KIND_OTHER.
 */
#ifndef VALIDATOR_CODE_KINDS_H
#define VALIDATOR_CODE_KINDS_H

#include <stdint.h>
#include <tree_sitter/api.h>

#include "validator/code/language.h"

enum code_kind {
	KIND_OTHER,
	KIND_ALIASED_IMPORT,
	KIND_ANSI_STRING,
	KIND_ARGUMENTS,
	KIND_ARRAY_PATTERN,
	KIND_ASSIGNMENT,
	KIND_ATTRIBUTE,
	KIND_AUGMENTED,
	KIND_AWAIT,
	KIND_BINARY,
	KIND_BOOLEAN,
	KIND_CALL,
	KIND_CATCH,
	KIND_CLASS,
	KIND_COMMAND,
	KIND_COMMAND_NAME,
	KIND_COMMENT,
	KIND_COMPREHENSION,
	KIND_CONCATENATION,
	KIND_CONDITION,
	KIND_CONDITIONAL,
	KIND_DECLARATOR,
	KIND_DEFAULT_PARAMETER,
	KIND_DICTIONARY,
	KIND_DOTTED_NAME,
	KIND_ESCAPE,
	KIND_EXPANSION,
	KIND_EXPORT,
	KIND_FALSE,
	KIND_FLOAT,
	KIND_FOR,
	KIND_FOR_IN,
	KIND_FUNCTION,
	KIND_GLOBAL,
	KIND_HEREDOC_BODY,
	KIND_IDENTIFIER,
	KIND_IMPORT,
	KIND_IMPORT_CLAUSE,
	KIND_IMPORT_FROM,
	KIND_IMPORT_SPECIFIER,
	KIND_INTEGER,
	KIND_INTERPOLATION,
	KIND_KEYWORD_ARGUMENT,
	KIND_LAMBDA,
	KIND_LIST,
	KIND_MEMBER_NAME,
	KIND_NAMED_EXPRESSION,
	KIND_NAMED_IMPORTS,
	KIND_NAMESPACE_IMPORT,
	KIND_NEW,
	KIND_NONE,
	KIND_OBJECT_PATTERN,
	KIND_PAIR,
	KIND_PAIR_PATTERN,
	KIND_PARAMETERS,
	KIND_PARENTHESES,
	KIND_PATTERN_LIST,
	KIND_PIPELINE,
	KIND_RAW_STRING,
	KIND_REDIRECT,
	KIND_RETURN,
	KIND_SEQUENCE,
	KIND_SHORTHAND,
	KIND_SLICE,
	KIND_STRING,
	KIND_STRING_CONTENT,
	KIND_STRING_END,
	KIND_STRING_START,
	KIND_SUBSCRIPT,
	KIND_SUBSTITUTION,
	KIND_TEMPLATE,
	KIND_THIS,
	KIND_TRUE,
	KIND_TUPLE,
	KIND_UNARY,
	KIND_WHILE,
	KIND_WILDCARD,
	KIND_WITH, /* of JavaScript */
	KIND_WITH_ITEM,
	KIND_WORD,
	KIND_AS_PATTERN,
	KIND_MAX
};

enum code_field {
	FIELD_OTHER,
	FIELD_ALIAS,
	FIELD_ALTERNATIVE,
	FIELD_ARGUMENT,
	FIELD_ARGUMENTS,
	FIELD_BODY,
	FIELD_CONDITION,
	FIELD_CONSEQUENCE,
	FIELD_FUNCTION,
	FIELD_INDEX,
	FIELD_KEY,
	FIELD_LEFT,
	FIELD_MEMBER,
	FIELD_MODULE_NAME,
	FIELD_NAME,
	FIELD_OBJECT,
	FIELD_OPERATOR,
	FIELD_PARAMETERS,
	FIELD_RIGHT,
	FIELD_SOURCE,
	FIELD_VALUE,
	FIELD_VARIABLE,
	FIELD_MAX
};

/* "python", "javascript", "bash". */
const char *code_language_name(enum code_language language);
/* CODE_LANGUAGES: there is no such language. */
enum code_language code_language_find(const char *name);

const TSLanguage *code_grammar(enum code_language language);

/* Of one grammar, by its symbol or field number. Made on first use; the tables live as long as
 * the process. */
const uint8_t *code_kinds_of(enum code_language language);
const uint8_t *code_fields_of(enum code_language language);

#endif
