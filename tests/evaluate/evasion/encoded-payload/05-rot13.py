import codecs

exec(codecs.encode("cevag('uryyb')", "rot13"))
