import os

base = "workspace"
print(open(os.path.join(base, "../../etc/passwd")).read())
