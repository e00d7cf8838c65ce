/*
 * server/exec/exec_main.c - casemate-exec, a client of the service for people and scripts. It
 * runs with its caller's rights on its caller's machine; what the service answers is printed as
 * it is.
 */
#include <stdio.h>

#include "server/client/client.h"
#include "server/exec/answer.h"
#include "server/exec/options.h"
#include "server/exec/request.h"
#include "server/exec/save.h"

#define EXIT_USAGE 100

static int print_answer(const struct options *options, const struct buf *text, long status)
{
	json_t *document = json_loadb(text->data == NULL ? "" : text->data, text->length,
				      JSON_ALLOW_NUL, NULL);
	int exit_code;

	if (options->is_json) {
		(void)fwrite(text->data == NULL ? "" : text->data, 1, text->length, stdout);
		if (text->length > 0 && text->data[text->length - 1] != '\n')
			(void)putc('\n', stdout);
		exit_code = status == 200 ? answer_exit_code(document) : EXIT_SERVICE;
	} else if (status == 200 && json_is_object(document)) {
		exit_code = answer_print(document);
	} else {
		exit_code = answer_print_problem(document, status);
	}
	if (options->output_folder != NULL && status == 200 &&
	    save_files(options, document) > 0)
		exit_code = EXIT_SERVICE;
	json_decref(document);
	return exit_code;
}

static int run(const struct options *options, struct err *err)
{
	own_mem char *body = NULL;
	own_buf answer = {0};
	own_client client = {0};
	json_t *document;
	long http_status = 0;
	int status = request_make(options, &document, err);

	if (status < 0)
		return status;
	body = json_dumps(document, JSON_COMPACT);
	json_decref(document);
	if (body == NULL)
		return err_set(err, ENOMEM, "out of memory");
	status = client_open(&client, &options->place, err);
	if (status == 0)
		status = client_post(&client, "/v1/executions", body, strlen(body), &answer,
				     &http_status, err);
	return status < 0 ? status : print_answer(options, &answer, http_status);
}

int main(int argc, char **argv)
{
	struct options options;
	struct err err = {0};
	int status = options_parse(&options, argc, argv, &err);

	if (status < 0) {
		(void)fprintf(stderr, "casemate exec: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (status > 0)
		return 0;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		(void)fprintf(stderr, "casemate exec: libcurl cannot start\n");
		return EXIT_SERVICE;
	}
	status = run(&options, &err);
	curl_global_cleanup();
	if (status < 0) {
		(void)fprintf(stderr, "casemate exec: %s\n", err.text);
		return EXIT_SERVICE;
	}
	return status;
}
