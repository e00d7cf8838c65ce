#!/bin/bash
find . -maxdepth 1 -exec /bin/sh -c 'id' \;
