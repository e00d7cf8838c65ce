#!/bin/bash
a=17
b=5
echo "$((a / b)) $((a % b)) $((a ** 2))"
awk -v a="$a" -v b="$b" 'BEGIN { printf "%.4f\n", a / b }'
