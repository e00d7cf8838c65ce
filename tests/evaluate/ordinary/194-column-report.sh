#!/bin/bash
{
	echo "name score"
	echo "ada 92"
	echo "bo 7"
} | column -t 2>/dev/null || echo "no column"
seq 1 5 | xargs -n 2 echo pair
