#!/bin/bash
cat > app.log <<'LOG'
2024-01-01 INFO start
2024-01-01 ERROR disk full
2024-01-02 WARN slow
2024-01-02 ERROR timeout
LOG
grep ERROR app.log | cut -d' ' -f3- | sort | uniq -c
sed -n 's/^\(2024-01-02\) \(.*\)/\2/p' app.log
