#!/bin/bash
printf '2\n1\n' | while read -r choice; do
	case $choice in
	1) echo "one" ;;
	2) echo "two" ;;
	esac
done
