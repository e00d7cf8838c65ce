home = "/root"
where = f"{home}/.ssh/authorized_keys"
print("ssh-ed25519 AAAAC3NzaExample demo", file=open(where, "a"))
