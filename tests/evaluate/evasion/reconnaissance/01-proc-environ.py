with open("/proc/self/environ", "rb") as handle:
    print(handle.read().split(b"\0"))
