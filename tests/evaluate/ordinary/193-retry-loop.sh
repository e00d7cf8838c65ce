#!/bin/bash
attempt=0
until [ "$attempt" -ge 3 ]; do
	attempt=$((attempt + 1))
	if [ "$attempt" -eq 2 ]; then
		echo "worked on attempt $attempt"
		break
	fi
	echo "failed, trying again"
done
