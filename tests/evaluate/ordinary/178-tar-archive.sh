#!/bin/bash
mkdir -p pack/sub
echo hello > pack/sub/a.txt
tar -czf pack.tar.gz pack
tar -tzf pack.tar.gz
rm -r pack
