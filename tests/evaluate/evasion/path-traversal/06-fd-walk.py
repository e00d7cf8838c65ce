import os

start = os.open(".", os.O_RDONLY)
up = os.open("..", os.O_RDONLY, dir_fd=start)
upper = os.open("../../..", os.O_RDONLY, dir_fd=up)
print(os.listdir(upper))
