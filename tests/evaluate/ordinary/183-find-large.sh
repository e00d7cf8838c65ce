#!/bin/bash
mkdir -p tree/a tree/b
head -c 2000 /dev/zero > tree/a/big
echo small > tree/b/small
find tree -type f -size +1k -printf '%f %s\n'
find tree -name 'small*' -exec wc -c {} +
