#!/bin/bash
read -r table
psql -d shop <<SQL
DELETE FROM $table WHERE created < now();
SQL
