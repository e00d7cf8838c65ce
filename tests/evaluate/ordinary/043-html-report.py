from html import escape
from string import Template

PAGE = Template("<html><body><h1>$title</h1><ul>$items</ul></body></html>")
items = ["plain", "a < b", "\"quoted\""]
page = PAGE.substitute(title=escape("Report & summary"), items="".join(f"<li>{escape(i)}</li>" for i in items))
with open("report.html", "w") as handle:
    handle.write(page)
print(len(page))
