#!/bin/bash
touch "my file.TXT" other.TXT
for f in *.TXT; do
	new=$(echo "${f%.TXT}.txt" | tr ' ' '_')
	mv -- "$f" "$new"
done
ls -1 ./*.txt
