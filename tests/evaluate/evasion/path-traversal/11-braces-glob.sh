#!/bin/bash
cat /e??/pass?d
cat {/etc,/root}/{hosts,.profile} 2>/dev/null
