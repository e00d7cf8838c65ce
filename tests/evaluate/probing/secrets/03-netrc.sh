#!/bin/bash
printf 'machine example.com login a password b\n' > netrc
