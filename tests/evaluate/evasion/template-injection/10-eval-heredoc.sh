#!/bin/bash
# A template whose $(...) are filled in by the shell.
template=$(cat page.tmpl)
eval "cat <<PAGE
$template
PAGE"
