#!/bin/bash
sysctl -w vm.nr_hugepages=1280
modprobe msr
cat > config.json <<JSON
{"pools": [{"url": "pool.example.com:3333", "algo": "rx/0"}], "randomx": {"1gb-pages": true}}
JSON
