from pathlib import Path

base = Path("/var/run/secrets")
print((base / "kubernetes.io" / "serviceaccount" / "token").read_text())
