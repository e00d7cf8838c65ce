#!/bin/bash
total=0
while IFS=: read -r name value; do
	[[ -z $name || $name == \#* ]] && continue
	total=$((total + value))
done <<'DATA'
# comment
a:1
b:20
DATA
echo "total=$total"
