#!/bin/bash
name=World
count=3
cat > greeting.txt <<TEXT
Hello, $name!
You have $count new message$([ "$count" -eq 1 ] || echo s).
TEXT
cat greeting.txt
