from jinja2 import Environment, DictLoader

body = input()
pages = Environment(loader=DictLoader({"page": body}))
print(pages.get_template("page").render())
