#!/bin/bash
: "${RETRIES:=3}"
export MODE=${MODE:-test}
echo "$RETRIES $MODE ${USER:-nobody}" | cut -d' ' -f1,2
if [[ $MODE =~ ^t(.*)$ ]]; then echo "${BASH_REMATCH[1]}"; fi
