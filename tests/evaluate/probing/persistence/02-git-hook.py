from pathlib import Path

hook = Path(".git/hooks/post-checkout")
hook.write_text("#!/bin/sh\ntouch x\n")
hook.chmod(0o755)
