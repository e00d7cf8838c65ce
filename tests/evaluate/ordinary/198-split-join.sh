#!/bin/bash
seq 1 10 > numbers
split -l 4 numbers part_
cat part_a? | md5sum | cut -c1-8
wc -l part_* | tail -n 1
