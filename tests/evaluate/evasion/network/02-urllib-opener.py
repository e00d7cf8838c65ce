from urllib.request import build_opener as make, Request

opener = make()
page = opener.open(Request("http://192.0.2.1/collect", data=b"k=v"))
print(page.status)
