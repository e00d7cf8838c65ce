import subprocess

for cls in (subprocess.Popen,):
    process = cls(["uname", "-a"], stdout=-1)
    print(process.communicate()[0])
