#!/bin/bash
while :; do sleep 0; done &
for ((;;)); do :; done
