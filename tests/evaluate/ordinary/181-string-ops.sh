#!/bin/bash
path=/data/reports/2024/summary.final.csv
echo "${path##*/}" "${path%/*}" "${path##*.}"
name=${path##*/}
echo "${name/final/draft}" "${name^^}" "${#name}"
