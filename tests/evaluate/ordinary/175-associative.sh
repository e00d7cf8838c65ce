#!/bin/bash
declare -A count
for word in red blue red green blue red; do
	count[$word]=$(( ${count[$word]:-0} + 1 ))
done
for word in "${!count[@]}"; do
	printf '%s %d\n' "$word" "${count[$word]}"
done | sort -k2,2nr
