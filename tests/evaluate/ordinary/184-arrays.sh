#!/bin/bash
numbers=(5 3 9 1)
sorted=($(printf '%s\n' "${numbers[@]}" | sort -n))
echo "${sorted[@]}" "count=${#sorted[@]}"
echo "${sorted[@]:1:2}"
