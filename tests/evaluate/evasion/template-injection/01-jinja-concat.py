from jinja2 import Template

name = input("name: ")
page = Template("<h1>Hello " + name + "</h1>")
print(page.render())
