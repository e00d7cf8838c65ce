from html.parser import HTMLParser


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.found.extend(value for name, value in attrs if name == "href")


parser = Links()
parser.feed('<p><a href="/one">1</a> <a class="x" href="https://example.com/two">2</a></p>')
print(parser.found)
