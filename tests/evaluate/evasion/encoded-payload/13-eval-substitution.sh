#!/bin/bash
payload=ZWNobyBoZWxsbwo=
eval "$(printf %s "$payload" | base64 --decode)"
