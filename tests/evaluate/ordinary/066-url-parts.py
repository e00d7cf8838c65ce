from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

url = "https://example.com:8443/path/page?q=a%20b&lang=en#top"
parts = urlsplit(url)
print(parts.hostname, parts.port, parse_qs(parts.query))
print(urljoin(url, "../other"), quote("å/b c"))
print(urlencode({"page": 2, "sort": "name asc"}))
