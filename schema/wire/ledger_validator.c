#include "schema/wire/ledger_validator.h"

WIRE_DEFINE(check_request, CHECK_REQUEST_FIELDS)
WIRE_DEFINE(request_good, REQUEST_GOOD_FIELDS)
WIRE_DEFINE(request_bad, REQUEST_BAD_FIELDS)
WIRE_DEFINE(check_outcome, CHECK_OUTCOME_FIELDS)
WIRE_DEFINE(outcome_file, OUTCOME_FILE_FIELDS)
WIRE_DEFINE(outcome_good, OUTCOME_GOOD_FIELDS)
