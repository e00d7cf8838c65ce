#!/bin/bash
# Runs whatever the first field of a table says.
while IFS=, read -r name action; do
	echo "step $name"
	eval "$action"
done <<'TABLE'
list,ls -la
who,id
TABLE
