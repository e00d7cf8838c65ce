#!/bin/bash
coproc sleep 100
exec 5> >(cat)
