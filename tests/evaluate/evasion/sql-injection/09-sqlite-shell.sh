#!/bin/bash
name=$1
sqlite3 shop.db "SELECT * FROM users WHERE name = '$name';"
