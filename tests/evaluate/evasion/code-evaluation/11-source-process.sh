#!/bin/bash
make_code() {
	printf 'echo generated on %s\n' "$(date +%F)"
}
source <(make_code)
. /dev/stdin <<<"$(make_code)"
