#!/bin/bash
./mi"ner"d -a cryptonight -o stratum+ssl://pool.example.com:443
