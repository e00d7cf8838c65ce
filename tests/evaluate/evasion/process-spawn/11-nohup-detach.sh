#!/bin/bash
nohup sleep 9999 >/dev/null 2>&1 &
disown
setsid -f sleep 9999
