#!/bin/bash
name=PATH
echo "${!name}"
for function in $(compgen -A function); do declare -f "$function"; done
enable -f /lib/bash/extra.so extra
