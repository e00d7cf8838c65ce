import struct
import zlib


def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


width, height = 32, 16
rows = b"".join(b"\x00" + bytes(value for x in range(width) for value in (x * 8, y * 16, 128)) for y in range(height))
png = b"\x89PNG\r\n\x1a\n"
png += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
png += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
with open("gradient.png", "wb") as image:
    image.write(png)
print(len(png) > 100)
