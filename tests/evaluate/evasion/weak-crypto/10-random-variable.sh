#!/bin/bash
token=$RANDOM$RANDOM
echo "token: $token"
curl -k https://example.com/
