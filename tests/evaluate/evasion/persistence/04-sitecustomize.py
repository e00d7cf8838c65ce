import site

folder = site.getusersitepackages()
open(folder + "/sitecustomize.py", "w").write("print('started')\n")
open(folder + "/extra.pth", "w").write("import os\n")
