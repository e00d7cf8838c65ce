KEY = """-----BEGIN RSA PRIVATE KEY-----
MIIBOgIBAAJBAKexampleexampleexampleexampleexampleexampleexample
-----END RSA PRIVATE KEY-----"""
print(len(KEY))
