#!/bin/bash
# Fetches the tree-sitter grammars that package-lock.json pins, each checked against its hash, into
# deps/grammars, which `make clean` keeps. Quick when they are there. Needs npm only when they are
# not. No script of a package runs.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
pins=$top/validator/code/grammars
folder=$top/deps/grammars

# The stamp is the lock itself: another pin fetches anew.
if cmp -s "$pins/package-lock.json" "$folder/fetched.json"; then
	touch "$folder/fetched.json" # newer than a lock that was checked out again
	exit 0
fi

echo "deps: fetching the grammars"
rm -rf "$folder"
mkdir -p "$folder"
cp "$pins/package.json" "$pins/package-lock.json" "$folder/"
(cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier \
	--loglevel=error >/dev/null)
# Only the generated C is wanted; the rest (bindings, grammars' tests) is ten times as much.
for grammar in python javascript bash; do
	mkdir -p "$folder/$grammar"
	cp -R "$folder/node_modules/tree-sitter-$grammar/src/." "$folder/$grammar/"
	cp "$folder/node_modules/tree-sitter-$grammar/LICENSE" "$folder/$grammar/"
done
rm -rf "$folder/node_modules"
cp "$pins/package-lock.json" "$folder/fetched.json"
