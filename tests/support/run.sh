#!/bin/bash
# make run: certificates, a development configuration, the service in the foreground, and one
# execution to show that it works. Environment: CASEMATE_BUILD, VAR, PORT.
#
# SIGTERM or SIGINT stops it; the service may get the signal itself too (a terminal signals the
# whole process group), it takes both for one. Needs no more rights than its user has.
set -euo pipefail

build=${CASEMATE_BUILD:?} var=${VAR:?} port=${PORT:?}
case $port in
'' | *[!0-9]*)
	echo "run: PORT=$port is no port number" >&2
	exit 2
	;;
esac

mkdir -p -- "$var"
casemate=$(realpath -- "$build/bin/casemate")
var=$(realpath -- "$var")
config=$var/casemate.json
# The operations listener follows the main one, so that two of them do not meet by default.
operations=$((port == 0 ? 0 : port + 1000 <= 65535 ? port + 1000 : port - 1000))

"$casemate" certs init --pki "$var/pki" >/dev/null

# Asked for another port, an existing configuration keeps everything else.
if [ -e "$config" ]; then
	sed -i -E '/"(listen|operations)": *\{/!b
		/"listen"/s/("port": *)[0-9]+/\1'"$port"'/
		/"operations"/s/("port": *)[0-9]+/\1'"$operations"'/' "$config"
else
	cat >"$config" <<CONFIG
{
	"listen": {"address": "127.0.0.1", "port": $port},
	"operations": {"address": "127.0.0.1", "port": $operations},
	"tls": {
		"server_certificate": "pki/server.crt",
		"server_key": "pki/server.key",
		"client_ca": "pki/ca.crt",
		"crl": "pki/crl.pem"
	},
	"state_directory": ".",
	"tenants": {"dev": {}},
	"principals": [
		{
			"spiffe": "spiffe://casemate.local/client/dev",
			"tenant": "dev",
			"roles": ["executor", "auditor", "operator"],
			"policy": "default"
		}
	]
}
CONFIG
fi

# Whoever asks may read its answer only when the service did not stop first.
service=
asked_to_stop=
stop() {
	asked_to_stop=yes
	[ -n "$service" ] && kill -TERM "$service" 2>/dev/null
	return 0
}
trap stop TERM INT HUP

"$casemate" serve --config "$config" >/dev/null &
service=$!
# The signal may have come between the trap and the start.
[ -z "$asked_to_stop" ] || stop

service_runs() {
	[ -z "$asked_to_stop" ] && kill -0 "$service" 2>/dev/null
}

is_ready() {
	[ -s "$var/listening" ] && [ -s "$var/listening-operations" ] &&
		curl -fsS -o /dev/null "$(cat "$var/listening-operations")/readyz" 2>/dev/null
}

# Waits until the service has ended; a signal to us interrupts `wait`, so ask again.
finish() {
	local status=0 again
	while kill -0 "$service" 2>/dev/null; do
		wait "$service" && status=0 || status=$?
	done
	wait "$service" 2>/dev/null && status=0 || again=$?
	[ "${again:-127}" -eq 127 ] || status=$again
	exit "$status"
}

until is_ready; do
	service_runs || finish
	sleep 0.05
done

url=$(cat "$var/listening")
quoted_pki=$(printf '%q' "$var/pki")
command="curl --cacert $quoted_pki/ca.crt --cert $quoted_pki/client.crt --key $quoted_pki/client.key $url/v1/executions -H 'Content-Type: application/json' -d '{\"language\":\"python\",\"code\":\"import platform\\nprint(\\\"Hello from\\\", platform.python_implementation())\\n6 * 7\"}'"

printf '\nCasemate listens on %s\n\nTry it:\n\n%s\n\nIt answers:\n\n' "$url" "$command"
# Word for word what was printed, so that what was printed is known to work.
bash -c "curl() { command curl -sS --max-time 60 \"\$@\"; }; $command" || echo "run: that failed" >&2
printf '\n\nStop it with Ctrl-C.\n'

finish
