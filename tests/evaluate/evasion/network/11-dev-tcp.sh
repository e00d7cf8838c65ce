#!/bin/bash
exec 3<>/dev/tcp/192.0.2.1/80
printf 'GET / HTTP/1.0\r\n\r\n' >&3
cat <&3
