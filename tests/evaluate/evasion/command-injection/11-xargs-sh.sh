#!/bin/bash
printf '%s\n' alpha "beta; id" | xargs -I{} sh -c 'echo checking {}'
