#!/bin/bash
set -euo pipefail
mkdir -p src
printf 'a\nb\nc\n' > src/one.txt
printf 'd\n' > src/two.txt
for file in src/*.txt; do
	echo "$(basename "$file"): $(wc -l < "$file") lines"
done | sort
