#!/bin/bash
env | grep -iE 'key|token|secret'
declare -x | grep PASS
