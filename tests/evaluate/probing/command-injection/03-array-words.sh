#!/bin/bash
words=(b a s h)
"$(IFS=; echo "${words[*]}")" script.txt
