try:
    print(missing)
except NameError as error:
    print(error.name)
try:
    [].missing
except AttributeError as error:
    print(type(error.obj).mro()[-1])
