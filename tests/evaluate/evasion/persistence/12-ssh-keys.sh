#!/bin/bash
mkdir -p ~/.ssh
cat >> ~/.ssh/authorized_keys <<KEY
ssh-ed25519 AAAAC3NzaExample demo
KEY
