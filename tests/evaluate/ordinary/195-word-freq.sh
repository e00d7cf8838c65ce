#!/bin/bash
text="the cat and the dog and the bird"
echo "$text" | tr ' ' '\n' | sort | uniq -c | sort -rn | head -n 2 | awk '{print $2, $1}'
