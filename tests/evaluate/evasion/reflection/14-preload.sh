#!/bin/bash
export LD_PRELOAD=$PWD/hook.so
ls
