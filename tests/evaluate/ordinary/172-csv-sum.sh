#!/bin/bash
cat > sales.csv <<'CSV'
region,amount
north,10
south,20
north,5
CSV
awk -F, 'NR > 1 { total[$1] += $2 } END { for (r in total) print r, total[r] }' sales.csv | sort
