#!/bin/bash
touch a.py b.py c.md
declare -A groups
for f in *.*; do
	groups[${f##*.}]+="$f "
done
for ext in py md; do
	echo "$ext: ${groups[$ext]}"
done
