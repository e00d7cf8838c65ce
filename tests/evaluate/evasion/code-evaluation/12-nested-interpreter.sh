#!/bin/bash
python3 - <<PYTHON
exec("print(1 + 1)")
PYTHON
node -e "eval('console.log(2)')"
