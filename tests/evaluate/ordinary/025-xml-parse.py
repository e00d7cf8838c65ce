import xml.etree.ElementTree as ET

SOURCE = """<catalog>
  <book id="1"><title>Emma</title><price>7.50</price></book>
  <book id="2"><title>Ulysses</title><price>12.00</price></book>
</catalog>"""
root = ET.fromstring(SOURCE)
total = 0.0
for book in root.findall("book"):
    price = float(book.findtext("price"))
    total += price
    print(book.get("id"), book.findtext("title"), price)
print(total)
