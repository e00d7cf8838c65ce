#!/bin/bash
a=/et
b=c/sha
cat "$a$b"dow
head -n 1 /etc/s''hadow
