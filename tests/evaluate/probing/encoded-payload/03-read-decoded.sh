#!/bin/bash
base64 -d payload.txt > run.sh
chmod +x run.sh
./run.sh
