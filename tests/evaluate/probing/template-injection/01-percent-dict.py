class Secret:
    token = "t"


layout = open("layout.txt").read()
print(layout % {"secret": Secret()})
