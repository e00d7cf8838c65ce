import struct
from io import BytesIO

RECORD = struct.Struct("<I10sf")
stream = BytesIO()
for number, name, value in ((1, b"alpha", 1.5), (2, b"beta", 2.25)):
    stream.write(RECORD.pack(number, name, value))
stream.seek(0)
while True:
    block = stream.read(RECORD.size)
    if not block:
        break
    number, name, value = RECORD.unpack(block)
    print(number, name.rstrip(b"\0").decode(), value)
