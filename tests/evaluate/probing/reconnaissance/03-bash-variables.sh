#!/bin/bash
echo "$HOSTNAME $UID ${GROUPS[*]} $OSTYPE"
compgen -v
for f in /etc/*release; do while read -r l; do echo "$l"; done < "$f"; done
