#!/bin/bash
ln -sf / here
ls here/root
