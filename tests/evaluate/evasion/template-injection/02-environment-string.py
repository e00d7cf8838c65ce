import jinja2 as j

environment = j.Environment()
body = input()
print(environment.from_string("Dear %s" % body).render(secret="s"))
