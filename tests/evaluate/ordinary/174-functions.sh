#!/bin/bash
max() {
	local best=$1
	shift
	for n in "$@"; do
		(( n > best )) && best=$n
	done
	echo "$best"
}
max 3 17 5
max -4 -2
