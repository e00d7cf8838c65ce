#include "validator/code/kinds.h"

#include <string.h>

#include "base/own.h"

const TSLanguage *tree_sitter_python(void);
const TSLanguage *tree_sitter_javascript(void);
const TSLanguage *tree_sitter_bash(void);

/* The grammars have under 420 symbols and 50 fields. */
#define SYMBOLS_MAX 1024
#define FIELDS_MAX  128

struct word {
	const char *name;
	uint8_t kind;
};

static const struct word python_kinds[] = {
	{"aliased_import", KIND_ALIASED_IMPORT},
	{"argument_list", KIND_ARGUMENTS},
	{"as_pattern", KIND_AS_PATTERN},
	{"assignment", KIND_ASSIGNMENT},
	{"attribute", KIND_ATTRIBUTE},
	{"augmented_assignment", KIND_AUGMENTED},
	{"await", KIND_AWAIT},
	{"binary_operator", KIND_BINARY},
	{"boolean_operator", KIND_BOOLEAN},
	{"call", KIND_CALL},
	{"class_definition", KIND_CLASS},
	{"comment", KIND_COMMENT},
	{"concatenated_string", KIND_CONCATENATION},
	{"conditional_expression", KIND_CONDITIONAL},
	{"default_parameter", KIND_DEFAULT_PARAMETER},
	{"dictionary", KIND_DICTIONARY},
	{"dictionary_comprehension", KIND_COMPREHENSION},
	{"dotted_name", KIND_DOTTED_NAME},
	{"escape_sequence", KIND_ESCAPE},
	{"except_clause", KIND_CATCH},
	{"expression_list", KIND_TUPLE},
	{"false", KIND_FALSE},
	{"float", KIND_FLOAT},
	{"for_in_clause", KIND_FOR_IN},
	{"for_statement", KIND_FOR},
	{"function_definition", KIND_FUNCTION},
	{"generator_expression", KIND_COMPREHENSION},
	{"global_statement", KIND_GLOBAL},
	{"identifier", KIND_IDENTIFIER},
	{"if_statement", KIND_CONDITION},
	{"import_from_statement", KIND_IMPORT_FROM},
	{"import_statement", KIND_IMPORT},
	{"integer", KIND_INTEGER},
	{"interpolation", KIND_INTERPOLATION},
	{"keyword_argument", KIND_KEYWORD_ARGUMENT},
	{"lambda", KIND_LAMBDA},
	{"lambda_parameters", KIND_PARAMETERS},
	{"list", KIND_LIST},
	{"list_comprehension", KIND_COMPREHENSION},
	{"list_pattern", KIND_PATTERN_LIST},
	{"match_statement", KIND_CONDITION},
	{"named_expression", KIND_NAMED_EXPRESSION},
	{"none", KIND_NONE},
	{"pair", KIND_PAIR},
	{"parameters", KIND_PARAMETERS},
	{"parenthesized_expression", KIND_PARENTHESES},
	{"pattern_list", KIND_PATTERN_LIST},
	{"return_statement", KIND_RETURN},
	{"set", KIND_LIST},
	{"set_comprehension", KIND_COMPREHENSION},
	{"slice", KIND_SLICE},
	{"string", KIND_STRING},
	{"string_content", KIND_STRING_CONTENT},
	{"string_end", KIND_STRING_END},
	{"string_start", KIND_STRING_START},
	{"subscript", KIND_SUBSCRIPT},
	{"true", KIND_TRUE},
	{"try_statement", KIND_CONDITION},
	{"tuple", KIND_TUPLE},
	{"tuple_pattern", KIND_PATTERN_LIST},
	{"typed_default_parameter", KIND_DEFAULT_PARAMETER},
	{"unary_operator", KIND_UNARY},
	{"while_statement", KIND_WHILE},
	{"wildcard_import", KIND_WILDCARD},
	{"with_item", KIND_WITH_ITEM},
};

static const struct word javascript_kinds[] = {
	{"arguments", KIND_ARGUMENTS},
	{"array", KIND_LIST},
	{"array_pattern", KIND_ARRAY_PATTERN},
	{"arrow_function", KIND_LAMBDA},
	{"assignment_expression", KIND_ASSIGNMENT},
	{"assignment_pattern", KIND_DEFAULT_PARAMETER},
	{"augmented_assignment_expression", KIND_AUGMENTED},
	{"await_expression", KIND_AWAIT},
	{"binary_expression", KIND_BINARY},
	{"call_expression", KIND_CALL},
	{"catch_clause", KIND_CATCH},
	{"class", KIND_CLASS},
	{"class_declaration", KIND_CLASS},
	{"comment", KIND_COMMENT},
	{"html_comment", KIND_COMMENT},
	{"do_statement", KIND_WHILE},
	{"escape_sequence", KIND_ESCAPE},
	{"false", KIND_FALSE},
	{"for_in_statement", KIND_FOR},
	{"for_statement", KIND_WHILE},
	{"formal_parameters", KIND_PARAMETERS},
	{"function_declaration", KIND_FUNCTION},
	{"function_expression", KIND_FUNCTION},
	{"generator_function", KIND_FUNCTION},
	{"generator_function_declaration", KIND_FUNCTION},
	{"identifier", KIND_IDENTIFIER},
	{"if_statement", KIND_CONDITION},
	{"import", KIND_IDENTIFIER},
	{"import_clause", KIND_IMPORT_CLAUSE},
	{"import_specifier", KIND_IMPORT_SPECIFIER},
	{"import_statement", KIND_IMPORT},
	{"member_expression", KIND_ATTRIBUTE},
	{"method_definition", KIND_FUNCTION},
	{"named_imports", KIND_NAMED_IMPORTS},
	{"namespace_import", KIND_NAMESPACE_IMPORT},
	{"new_expression", KIND_NEW},
	{"null", KIND_NONE},
	{"number", KIND_INTEGER},
	{"object", KIND_DICTIONARY},
	{"object_assignment_pattern", KIND_DEFAULT_PARAMETER},
	{"object_pattern", KIND_OBJECT_PATTERN},
	{"pair", KIND_PAIR},
	{"pair_pattern", KIND_PAIR_PATTERN},
	{"parenthesized_expression", KIND_PARENTHESES},
	{"private_property_identifier", KIND_MEMBER_NAME},
	{"property_identifier", KIND_MEMBER_NAME},
	{"return_statement", KIND_RETURN},
	{"sequence_expression", KIND_SEQUENCE},
	{"shorthand_property_identifier", KIND_SHORTHAND},
	{"shorthand_property_identifier_pattern", KIND_SHORTHAND},
	{"string", KIND_STRING},
	{"string_fragment", KIND_STRING_CONTENT},
	{"subscript_expression", KIND_SUBSCRIPT},
	{"switch_statement", KIND_CONDITION},
	{"template_string", KIND_TEMPLATE},
	{"template_substitution", KIND_INTERPOLATION},
	{"ternary_expression", KIND_CONDITIONAL},
	{"this", KIND_THIS},
	{"true", KIND_TRUE},
	{"try_statement", KIND_CONDITION},
	{"unary_expression", KIND_UNARY},
	{"variable_declarator", KIND_DECLARATOR},
	{"while_statement", KIND_WHILE},
	{"with_statement", KIND_WITH},
};

static const struct word bash_kinds[] = {
	{"ansi_c_string", KIND_ANSI_STRING},
	{"array", KIND_LIST},
	{"c_style_for_statement", KIND_WHILE},
	{"command", KIND_COMMAND},
	{"command_name", KIND_COMMAND_NAME},
	{"command_substitution", KIND_SUBSTITUTION},
	{"comment", KIND_COMMENT},
	{"concatenation", KIND_CONCATENATION},
	{"expansion", KIND_EXPANSION},
	{"file_redirect", KIND_REDIRECT},
	{"for_statement", KIND_FOR},
	{"function_definition", KIND_FUNCTION},
	{"heredoc_body", KIND_HEREDOC_BODY},
	{"heredoc_redirect", KIND_REDIRECT},
	{"herestring_redirect", KIND_REDIRECT},
	{"if_statement", KIND_CONDITION},
	{"case_statement", KIND_CONDITION},
	{"number", KIND_INTEGER},
	{"pipeline", KIND_PIPELINE},
	{"raw_string", KIND_RAW_STRING},
	{"simple_expansion", KIND_EXPANSION},
	{"special_variable_name", KIND_IDENTIFIER},
	{"string", KIND_STRING},
	{"string_content", KIND_STRING_CONTENT},
	{"translated_string", KIND_STRING},
	{"variable_assignment", KIND_ASSIGNMENT},
	{"variable_name", KIND_IDENTIFIER},
	{"while_statement", KIND_WHILE},
	{"word", KIND_WORD},
};

static const struct word fields[] = {
	{"alias", FIELD_ALIAS},
	{"alternative", FIELD_ALTERNATIVE},
	{"argument", FIELD_ARGUMENT},
	{"arguments", FIELD_ARGUMENTS},
	{"attribute", FIELD_MEMBER},
	{"body", FIELD_BODY},
	{"condition", FIELD_CONDITION},
	{"consequence", FIELD_CONSEQUENCE},
	{"constructor", FIELD_FUNCTION},
	{"function", FIELD_FUNCTION},
	{"index", FIELD_INDEX},
	{"key", FIELD_KEY},
	{"left", FIELD_LEFT},
	{"module_name", FIELD_MODULE_NAME},
	{"name", FIELD_NAME},
	{"object", FIELD_OBJECT},
	{"operator", FIELD_OPERATOR},
	{"parameter", FIELD_PARAMETERS},
	{"parameters", FIELD_PARAMETERS},
	{"property", FIELD_MEMBER},
	{"right", FIELD_RIGHT},
	{"source", FIELD_SOURCE},
	{"subscript", FIELD_INDEX},
	{"value", FIELD_VALUE},
	{"variable", FIELD_VARIABLE},
};

static const struct grammar {
	const TSLanguage *(*grammar)(void);
	const struct word *kinds;
	size_t kind_count;
} grammars[CODE_LANGUAGES] = {
	[CODE_PYTHON] = {tree_sitter_python, python_kinds, ARRAY_COUNT(python_kinds)},
	[CODE_JAVASCRIPT] = {tree_sitter_javascript, javascript_kinds,
			     ARRAY_COUNT(javascript_kinds)},
	[CODE_BASH] = {tree_sitter_bash, bash_kinds, ARRAY_COUNT(bash_kinds)},
};

static const char *const names[] = {
#define X(symbol, name) name,
	CODE_LANGUAGE_LIST(X)
#undef X
};

static struct {
	bool is_made;
	uint8_t kinds[SYMBOLS_MAX];
	uint8_t fields[FIELDS_MAX];
} tables[CODE_LANGUAGES];

const char *code_language_name(enum code_language language)
{
	return names[language];
}

enum code_language code_language_find(const char *name)
{
	int language = 0;

	while (language < CODE_LANGUAGES && strcmp(names[language], name) != 0)
		language++;
	return (enum code_language)language;
}

const TSLanguage *code_grammar(enum code_language language)
{
	return grammars[language].grammar();
}

static uint8_t find(const struct word *words, size_t count, const char *name)
{
	for (size_t i = 0; name != NULL && i < count; i++)
		if (strcmp(words[i].name, name) == 0)
			return words[i].kind;
	return 0;
}

/* By the names of all symbols and not by one symbol of each name: a grammar may have several
 * symbols of one name (aliases). */
static void make(enum code_language language)
{
	const struct grammar *grammar = &grammars[language];
	const TSLanguage *data = grammar->grammar();
	uint32_t symbols = ts_language_symbol_count(data);
	uint32_t field_count = ts_language_field_count(data);

	for (uint32_t i = 0; i < symbols && i < SYMBOLS_MAX; i++)
		if (ts_language_symbol_type(data, (TSSymbol)i) == TSSymbolTypeRegular)
			tables[language].kinds[i] =
				find(grammar->kinds, grammar->kind_count,
				     ts_language_symbol_name(data, (TSSymbol)i));
	for (uint32_t i = 1; i <= field_count && i < FIELDS_MAX; i++)
		tables[language].fields[i] =
			find(fields, ARRAY_COUNT(fields),
			     ts_language_field_name_for_id(data, (TSFieldId)i));
	tables[language].is_made = true;
}

const uint8_t *code_kinds_of(enum code_language language)
{
	if (!tables[language].is_made)
		make(language);
	return tables[language].kinds;
}

const uint8_t *code_fields_of(enum code_language language)
{
	if (!tables[language].is_made)
		make(language);
	return tables[language].fields;
}
