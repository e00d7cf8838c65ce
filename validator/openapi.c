#include "validator/openapi.h"

#include <stdio.h>
#include <string.h>

#include "schema/status.h"

static const char *const component_names[] = {
#define X(symbol, file, component) component,
	CATALOG_LIST(X)
#undef X
};

/* Which schemas callers meet: not the configuration, not what workers say. */
static const enum catalog_name public_schemas[] = {
	CATALOG_REQUEST,   CATALOG_EXECUTION,	 CATALOG_PROBLEM,
	CATALOG_RUNTIMES,  CATALOG_CAPABILITIES, CATALOG_HEALTH,
	CATALOG_POLICY,	   CATALOG_FINDING,	 CATALOG_VALIDATION_REQUEST,
	CATALOG_VALIDATION};

/* --- schemas ----------------------------------------------------------------------------- */

/* The component that is the document with this $id, of `length` bytes; NULL: there is none. */
static const char *component_of(const struct catalog *catalog, const char *id, size_t length)
{
	for (unsigned i = 0; i < CATALOG_COUNT; i++) {
		const char *other =
			json_string_value(json_object_get(catalog->documents[i], "$id"));

		if (other != NULL && strlen(other) == length && memcmp(other, id, length) == 0)
			return component_names[i];
	}
	return NULL;
}

/* "#/$defs/file" of a schema becomes "#/components/schemas/<component>/$defs/file", and the
 * $id of another document the name of its component. */
static void move_references(const struct catalog *catalog, json_t *value, const char *component)
{
	const char *target = json_string_value(json_object_get(value, "$ref"));
	const char *key;
	size_t index;
	json_t *inner;

	json_array_foreach(value, index, inner) move_references(catalog, inner, component);
	json_object_foreach(value, key, inner) move_references(catalog, inner, component);
	if (target != NULL) {
		size_t length = strcspn(target, "#");
		const char *of =
			length == 0 ? component : component_of(catalog, target, length);

		if (of != NULL)
			(void)json_object_set_new(
				value, "$ref",
				json_sprintf("#/components/schemas/%s%s", of,
					     target[length] == '#' ? target + length + 1 : ""));
	}
}

static json_t *make_schemas(const struct catalog *catalog)
{
	json_t *schemas = json_object();

	for (size_t i = 0; i < ARRAY_COUNT(public_schemas); i++) {
		const char *component = component_names[public_schemas[i]];
		json_t *copy = json_deep_copy(catalog->documents[public_schemas[i]]);

		(void)json_object_del(copy, "$schema");
		(void)json_object_del(copy, "$id");
		move_references(catalog, copy, component);
		(void)json_object_set_new(schemas, component, copy);
	}
	return schemas;
}

static json_t *schema_reference(const char *component)
{
	return json_pack("{s:o}", "$ref", json_sprintf("#/components/schemas/%s", component));
}

/* --- problems: one response a status, one example a code --------------------------------- */

struct problem_row {
	const char *code;
	unsigned http;
	const char *title;
};

static const struct problem_row problem_rows[] = {
#define X(symbol, code, http, title) {code, http, title},
	PROBLEM_LIST(X)
#undef X
};

static json_t *problem_example(const struct problem_row *row)
{
	return json_pack("{s:s, s:{s:o, s:s, s:i, s:s, s:s}}", "summary", row->title, "value",
			 "type", json_sprintf("urn:casemate:problem:%s", row->code), "title",
			 row->title, "status", (int)row->http, "code", row->code, "detail",
			 row->title);
}

static json_t *problem_headers(unsigned http)
{
	json_t *headers = json_pack("{s:{s:s}}", "X-Request-Id", "$ref",
				    "#/components/headers/X-Request-Id");

	if (http == 429 || http == 503)
		(void)json_object_set_new(
			headers, "Retry-After",
			json_pack("{s:s}", "$ref", "#/components/headers/Retry-After"));
	if (http == 405)
		(void)json_object_set_new(
			headers, "Allow",
			json_pack("{s:s}", "$ref", "#/components/headers/Allow"));
	return headers;
}

static json_t *make_problem_response(unsigned http)
{
	json_t *examples = json_object();
	json_t *description = NULL;

	for (size_t i = 0; i < ARRAY_COUNT(problem_rows); i++) {
		const struct problem_row *row = &problem_rows[i];

		if (row->http != http)
			continue;
		if (description == NULL)
			description = json_sprintf("%s: %s", row->code, row->title);
		else {
			json_t *longer =
				json_sprintf("%s; %s: %s", json_string_value(description),
					     row->code, row->title);

			json_decref(description);
			description = longer;
		}
		(void)json_object_set_new(examples, row->code, problem_example(row));
	}
	return json_pack("{s:o, s:o, s:{s:{s:o, s:o}}}", "description", description, "headers",
			 problem_headers(http), "content", "application/problem+json", "schema",
			 schema_reference("Problem"), "examples", examples);
}

static json_t *make_responses(void)
{
	json_t *responses = json_object();

	for (size_t i = 0; i < ARRAY_COUNT(problem_rows); i++) {
		char name[24];

		(void)snprintf(name, sizeof(name), "Problem%u", problem_rows[i].http);
		if (json_object_get(responses, name) == NULL)
			(void)json_object_set_new(responses, name,
						  make_problem_response(problem_rows[i].http));
	}
	return responses;
}

/* --- operations -------------------------------------------------------------------------- */

struct operation {
	const char *path;
	const char *method;
	const char *id;
	const char *summary;
	const char *description;
	const char *media;
	const char *component; /* NULL: any text or object */
	const char *body;      /* component of the request's; NULL: none */
	unsigned problems[16]; /* ends with 0 */
	bool has_id;
	bool is_kept; /* what it made can be read again */
	bool is_file; /* bytes, with conditions and ranges */
	bool is_open; /* also on the operations listener, without a certificate */
};

static const struct operation operations[] = {
	{.path = "/v1/executions",
	 .method = "post",
	 .id = "createExecution",
	 .summary = "Run code",
	 .description =
		 "Runs the code and answers when it has ended and is on record. Code that "
		 "fails is 200 with a status that says so. When the caller leaves, the "
		 "execution is cancelled.",
	 .media = "application/json",
	 .component = "Execution",
	 .body = "ExecutionRequest",
	 .problems = {400, 401, 403, 406, 408, 411, 413, 415, 422, 429, 431, 500, 503},
	 .is_kept = true},
	{.path = "/v1/validations",
	 .method = "post",
	 .id = "createValidation",
	 .summary = "Judge code without running it",
	 .description =
		 "Says what rules and policies say of the code, as an execution of it would. "
		 "Nothing is run and nothing recorded; it counts against the tenant's rate "
		 "like an execution.",
	 .media = "application/json",
	 .component = "Validation",
	 .body = "ValidationRequest",
	 .problems = {400, 401, 403, 406, 408, 411, 413, 415, 422, 429, 431, 500, 503}},
	{.path = "/v1/executions/{id}",
	 .method = "get",
	 .id = "getExecution",
	 .summary = "Read an execution again",
	 .description =
		 "The document that the execution was answered with, for as long as it is "
		 "kept. Executions of other tenants do not exist.",
	 .media = "application/json",
	 .component = "Execution",
	 .problems = {400, 401, 403, 404, 406, 408, 431, 500, 503},
	 .has_id = true},
	{.path = "/v1/executions/{id}/files/{path}",
	 .method = "get",
	 .id = "getFile",
	 .summary = "Fetch a result file",
	 .description =
		 "The content of a file whose entry in the execution has an href, for as long "
		 "as "
		 "it is kept. {path} is escaped, but for the slashes between its segments. One "
		 "range at a time; the ETag is the SHA-256.",
	 .media = "application/octet-stream",
	 .problems = {400, 401, 403, 404, 408, 412, 416, 429, 431, 500, 503},
	 .has_id = true,
	 .is_file = true},
	{.path = "/v1/runtimes",
	 .method = "get",
	 .id = "listRuntimes",
	 .summary = "Languages that can be run",
	 .description = "Name, version and preloaded modules of each.",
	 .media = "application/json",
	 .component = "Runtimes",
	 .problems = {400, 401, 403, 406, 408, 431, 500, 503}},
	{.path = "/v1/capabilities",
	 .method = "get",
	 .id = "getCapabilities",
	 .summary = "Isolation that holds, and limits",
	 .description =
		 "Which layers of the wall really hold on this host, and the bounds of the "
		 "limits of a request.",
	 .media = "application/json",
	 .component = "Capabilities",
	 .problems = {400, 401, 403, 406, 408, 431, 500, 503}},
	{.path = "/openapi.json",
	 .method = "get",
	 .id = "getDescription",
	 .summary = "This document",
	 .description = "Built from the schemas that requests are checked with.",
	 .media = "application/json",
	 .problems = {400, 401, 403, 406, 408, 431, 500, 503}},
	{.path = "/livez",
	 .method = "get",
	 .id = "getLiveness",
	 .summary = "Does the service live?",
	 .description = "200 as long as the service can answer at all.",
	 .media = "application/json",
	 .component = "Health",
	 .problems = {400, 406, 408, 431, 500},
	 .is_open = true},
	{.path = "/readyz",
	 .method = "get",
	 .id = "getReadiness",
	 .summary = "Does the service take executions?",
	 .description =
		 "200 when workers are ready and the record can be written; 503 while the "
		 "service starts, drains or repairs itself.",
	 .media = "application/json",
	 .component = "Health",
	 .problems = {400, 406, 408, 431, 500, 503},
	 .is_open = true},
	{.path = "/metrics",
	 .method = "get",
	 .id = "getMetrics",
	 .summary = "Metrics",
	 .description =
		 "Prometheus text format 0.0.4. On the main listener for the role operator.",
	 .media = "text/plain",
	 .problems = {400, 401, 403, 406, 408, 431, 500, 503},
	 .is_open = true},
};

static json_t *make_good_response(const struct operation *operation)
{
	json_t *schema =
		operation->component != NULL
			? schema_reference(operation->component)
			: json_pack("{s:s}", "type",
				    strcmp(operation->media, "text/plain") == 0 ? "string"
										: "object");
	json_t *response = json_pack("{s:s, s:{s:{s:s}}, s:{s:{s:o}}}", "description",
				     operation->summary, "headers", "X-Request-Id", "$ref",
				     "#/components/headers/X-Request-Id", "content",
				     operation->media, "schema", schema);

	if (operation->is_kept)
		(void)json_object_set_new(
			json_object_get(response, "headers"), "Location",
			json_pack("{s:s}", "$ref", "#/components/headers/Location"));
	return response;
}

static const struct {
	const char *name;
	const char *description;
	unsigned http; /* the only status it comes with; 0: with each but 304 */
} file_headers[] = {
	{"ETag", "The SHA-256 of the whole file in hexadecimal, in quotes.", 0},
	{"Accept-Ranges", "bytes", 0},
	{"Content-Disposition", "attachment, with the file's name.", 0},
	{"Content-Range", "Which bytes these are, and of how many.", 206},
};

static json_t *make_file_response(unsigned http, const char *description)
{
	json_t *headers = json_pack("{s:{s:s}}", "X-Request-Id", "$ref",
				    "#/components/headers/X-Request-Id");

	for (size_t i = 0; i < ARRAY_COUNT(file_headers); i++)
		if (file_headers[i].http == http ||
		    (file_headers[i].http == 0 && (http != 304 || i == 0)))
			(void)json_object_set_new(headers, file_headers[i].name,
						  json_pack("{s:s, s:{s:s}}", "description",
							    file_headers[i].description,
							    "schema", "type", "string"));
	if (http == 304)
		return json_pack("{s:s, s:o}", "description", description, "headers", headers);
	return json_pack("{s:s, s:o, s:{s:{}}}", "description", description, "headers", headers,
			 "content", "application/octet-stream");
}

static void add_file_responses(json_t *responses)
{
	static const struct {
		unsigned http;
		const char *description;
	} rows[] = {
		{200, "The whole file."},
		{206, "The range asked for."},
		{304, "The caller has this file already (If-None-Match)."},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		char status[12];

		(void)snprintf(status, sizeof(status), "%u", rows[i].http);
		(void)json_object_set_new(
			responses, status,
			make_file_response(rows[i].http, rows[i].description));
	}
}

static void add_file_parameters(json_t *parameters)
{
	static const struct {
		const char *name;
		const char *place;
		const char *description;
	} rows[] = {
		{"path", "path", "Path of the file, as in files[].path."},
		{"Range", "header", "One range of bytes, such as bytes=0-1023."},
		{"If-Range", "header",
		 "An ETag: the range counts only if it is still this one."},
		{"If-None-Match", "header", "ETags of which the caller has the content."},
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		(void)json_array_append_new(
			parameters,
			json_pack("{s:s, s:s, s:b, s:s, s:{s:s}}", "name", rows[i].name, "in",
				  rows[i].place, "required", i == 0, "description",
				  rows[i].description, "schema", "type", "string"));
}

static json_t *make_parameters(const struct operation *operation)
{
	json_t *parameters = json_array();

	if (operation->has_id)
		(void)json_array_append_new(parameters,
					    json_pack("{s:s, s:s, s:b, s:s, s:{s:s, s:s}}",
						      "name", "id", "in", "path", "required", 1,
						      "description", "Id of the execution.",
						      "schema", "type", "string", "pattern",
						      "^[0-7][0-9A-HJKMNP-TV-Z]{25}$"));
	if (operation->is_file)
		add_file_parameters(parameters);
	(void)json_array_append_new(
		parameters, json_pack("{s:s}", "$ref", "#/components/parameters/X-Request-Id"));
	(void)json_array_append_new(
		parameters, json_pack("{s:s}", "$ref", "#/components/parameters/traceparent"));
	return parameters;
}

static json_t *make_operation(const struct operation *operation)
{
	json_t *responses = json_pack("{s:o}", "200", make_good_response(operation));
	json_t *made;

	for (const unsigned *http = operation->problems; *http != 0; http++) {
		char status[12];

		(void)snprintf(status, sizeof(status), "%u", *http);
		(void)json_object_set_new(
			responses, status,
			json_pack("{s:o}", "$ref",
				  json_sprintf("#/components/responses/Problem%u", *http)));
	}
	if (operation->is_file)
		add_file_responses(responses);
	/* Every address answers 405 to other methods. */
	(void)json_object_set_new(
		responses, "405",
		json_pack("{s:s}", "$ref", "#/components/responses/Problem405"));
	made = json_pack("{s:s, s:s, s:s, s:o, s:o}", "operationId", operation->id, "summary",
			 operation->summary, "description", operation->description,
			 "parameters", make_parameters(operation), "responses", responses);
	if (operation->body != NULL)
		(void)json_object_set_new(made, "requestBody",
					  json_pack("{s:b, s:{s:{s:o}}}", "required", 1,
						    "content", "application/json", "schema",
						    schema_reference(operation->body)));
	/* An empty requirement beside the certificate: either listener serves it. */
	if (operation->is_open)
		(void)json_object_set_new(made, "security",
					  json_pack("[{}, {s:[]}]", "clientCertificate"));
	return made;
}

static json_t *make_paths(void)
{
	json_t *paths = json_object();

	for (size_t i = 0; i < ARRAY_COUNT(operations); i++)
		(void)json_object_set_new(paths, operations[i].path,
					  json_pack("{s:o}", operations[i].method,
						    make_operation(&operations[i])));
	return paths;
}

/* --- the whole --------------------------------------------------------------------------- */

static json_t *make_text_header(const char *description, const char *type)
{
	return json_pack("{s:s, s:{s:s}}", "description", description, "schema", "type", type);
}

static json_t *make_headers(void)
{
	json_t *headers = json_object();

	(void)json_object_set_new(
		headers, "X-Request-Id",
		make_text_header("The request's own id, or one made for it.", "string"));
	(void)json_object_set_new(
		headers, "Retry-After",
		make_text_header("Seconds to wait before the request is sent again.",
				 "integer"));
	(void)json_object_set_new(headers, "Allow",
				  make_text_header("Methods that this address has.", "string"));
	(void)json_object_set_new(
		headers, "Location",
		make_text_header("Where the execution can be read again.", "string"));
	return headers;
}

static json_t *make_header_parameter(const char *name, const char *description,
				     const char *pattern)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:{s:s, s:s}}", "name", name, "in", "header",
			 "required", 0, "description", description, "schema", "type", "string",
			 "pattern", pattern);
}

static json_t *make_components(const struct catalog *catalog)
{
	json_t *parameters = json_object();

	(void)json_object_set_new(
		parameters, "X-Request-Id",
		make_header_parameter("X-Request-Id",
				      "Echoed and recorded; one is made when it is missing.",
				      "^[A-Za-z0-9._-]{1,128}$"));
	(void)json_object_set_new(
		parameters, "traceparent",
		make_header_parameter("traceparent", "W3C Trace Context; echoed and recorded.",
				      "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"));
	return json_pack(
		"{s:o, s:o, s:o, s:o, s:{s:{s:s, s:s}}}", "schemas", make_schemas(catalog),
		"responses", make_responses(), "headers", make_headers(), "parameters",
		parameters, "securitySchemes", "clientCertificate", "type", "mutualTLS",
		"description",
		"A client certificate of the configured CA; its SPIFFE ID, DNS name or CN "
		"is the identity.");
}

int openapi_make(const struct catalog *catalog, json_t **ret, struct err *err)
{
	json_t *document = json_pack(
		"{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:s, s:s}], s:[{s:[]}], s:o, s:o}",
		"openapi", "3.1.0", "info", "title", "Casemate", "version", CASEMATE_VERSION,
		"description",
		"Runs code that nobody trusts, behind a kernel wall, and records it.",
		"license", "name", "Apache-2.0", "identifier", "Apache-2.0", "servers", "url",
		"/", "description", "this service", "security", "clientCertificate", "paths",
		make_paths(), "components", make_components(catalog));

	if (document == NULL)
		return err_errno(err, ENOMEM, "compose the OpenAPI document");
	*ret = document;
	return 0;
}
