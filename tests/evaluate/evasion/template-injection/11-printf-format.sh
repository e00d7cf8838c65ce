#!/bin/bash
read -r layout
printf "$layout\n" "$USER"
