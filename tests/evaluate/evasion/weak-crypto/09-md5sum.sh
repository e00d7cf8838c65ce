#!/bin/bash
password=hunter2
printf %s "$password" | md5sum
openssl enc -des-ecb -k "$password" -in notes -out notes.enc
