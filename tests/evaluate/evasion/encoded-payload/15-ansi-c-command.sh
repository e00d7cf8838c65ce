#!/bin/bash
$'\x63\x61\x74' $'\x2fetc\x2fhostname'
printf '\x69\x64' | sh
