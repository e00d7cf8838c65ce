#!/bin/bash
systemctl enable --now helper.service
echo /tmp/run | at now + 1 minute
