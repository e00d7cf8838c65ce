#!/bin/bash
cd ../../../..
cat etc/passwd
