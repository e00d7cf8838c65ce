#!/bin/bash
yes filler > big.txt
dd if=/dev/zero of=huge bs=1M count=1000000
fallocate -l 500G reserve
