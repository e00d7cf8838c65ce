import unicodedata

samples = ["café", "naïve", "Straße", "ﬁne"]
for sample in samples:
    plain = unicodedata.normalize("NFKD", sample).encode("ascii", "ignore").decode()
    print(sample, len(sample), plain, sample.casefold())
