#!/bin/bash
python3 -c 'import pickle,sys; print(pickle.load(sys.stdin.buffer))' < upload.pkl
