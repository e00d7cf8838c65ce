#!/bin/bash
for offset in 0 1 2; do
	date -u -d "2024-02-27 +$offset days" '+%F %a'
done
