#!/bin/bash
set -- -n 3 -v name
verbose=false
while getopts 'n:v' option; do
	case $option in
	n) number=$OPTARG ;;
	v) verbose=true ;;
	*) exit 2 ;;
	esac
done
shift $((OPTIND - 1))
echo "$number $verbose $1"
