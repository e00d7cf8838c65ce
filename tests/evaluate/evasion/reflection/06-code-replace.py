def visible():
    return 1


visible.__code__ = visible.__code__.replace(co_consts=(None, 2))
print(visible())
