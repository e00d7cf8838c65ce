words = {"a": "pri", "b": "nt(", "c": "1)"}
text = ""
for key in sorted(words):
    text += words[key]
exec(text)
