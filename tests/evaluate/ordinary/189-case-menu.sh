#!/bin/bash
describe() {
	case $1 in
	*.tar.gz | *.tgz) echo archive ;;
	*.jpg | *.png) echo image ;;
	[0-9]*) echo number ;;
	*) echo unknown ;;
	esac
}
for name in a.tgz b.png 7up other; do
	echo "$name: $(describe "$name")"
done
