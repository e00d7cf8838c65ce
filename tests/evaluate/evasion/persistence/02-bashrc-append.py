import os

startup = os.path.join(os.path.expanduser("~"), "." + "bashrc")
with open(startup, "a") as file:
    file.write("alias ls='ls --color'\n")
