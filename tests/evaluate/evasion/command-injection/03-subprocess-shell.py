from subprocess import run as execute, PIPE


def grep(pattern, path):
    command = f"grep -n '{pattern}' {path}"
    return execute(command, shell=True, stdout=PIPE, text=True).stdout


print(grep("x'; cat /etc/passwd; '", "notes.txt"))
