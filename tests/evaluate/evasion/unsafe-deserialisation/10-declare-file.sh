#!/bin/bash
# Settings were written by `declare -p`, so they are read back by running them.
declare -p PATH HOME > saved.env
. ./saved.env
eval "$(cat saved.env)"
