#!/bin/bash
mkdir -p ~/bin
cp payload ~/bin/ls
