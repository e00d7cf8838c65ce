#!/bin/bash
echo content > file.txt
sha256sum file.txt > sums
sha256sum -c sums
