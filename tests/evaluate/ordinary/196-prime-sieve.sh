#!/bin/bash
limit=50
declare -a composite
for ((n = 2; n <= limit; n++)); do
	[[ ${composite[n]} ]] && continue
	printf '%d ' "$n"
	for ((m = n * n; m <= limit; m += n)); do
		composite[m]=1
	done
done
echo
