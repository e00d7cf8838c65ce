#!/bin/bash
set -e
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for i in 1 2 3; do
	echo "line $i" >> "$work/out.txt"
done
tail -n 1 "$work/out.txt"
