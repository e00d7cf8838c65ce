#!/bin/bash
while [ "$PWD" != / ]; do cd ..; done
ls
