#!/bin/bash
rev <<< "di" | sh
echo "jo" | tr 'a-z' 'z-a' 2>/dev/null | bash
