#!/bin/bash
id; uname -a; cat /proc/version
ps aux
ss -tlnp
