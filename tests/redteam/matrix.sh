#!/bin/bash
# Makes the table at the end of docs/REDTEAM.md anew, as the present user. The argument is a test
# build.
set -euo pipefail
cd "$(dirname "$0")/../.."
table=$(mktemp)
trap 'rm -f "$table"' EXIT
"$1/bin/casemate" redteam --mutate >"$table"
sed -i '/^<!-- what follows/q' docs/REDTEAM.md
{ echo && cat "$table"; } >>docs/REDTEAM.md
