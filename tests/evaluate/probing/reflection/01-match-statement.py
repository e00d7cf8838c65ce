match len:
    case object(__self__=module):
        print(module.__dict__["open"])
