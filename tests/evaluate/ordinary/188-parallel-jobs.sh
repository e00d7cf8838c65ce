#!/bin/bash
job() {
	sleep 0.0"$1"
	echo "job $1" > "out.$1"
}
for n in 1 2 3; do
	job "$n" &
done
wait
cat out.1 out.2 out.3
