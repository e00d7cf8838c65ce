settings = {"app": object()}
layout = input("layout: ")
print(str.format_map(layout, settings))
