#!/bin/bash
printf 'a\nb\nc\n' > old
printf 'a\nB\nc\nd\n' > new
diff -u old new | tail -n +3 || true
comm -12 <(sort old) <(sort new)
