import codecs
import zlib

blob = codecs.decode("eJwrKMrMK9FQz0jNyclX1wQAHVkEgQ==", "base64")
code = zlib.decompress(blob).decode()
exec(compile(code, "x", "exec"))
