#!/bin/bash
perl -e 'exec "/bin/ls", "-l"'
awk 'BEGIN { system("id") }'
