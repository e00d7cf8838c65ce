import typing


class Model:
    value: "print('evaluated')"


print(typing.get_type_hints(Model))
