from pathlib import Path

entry = Path("/etc") / "cron.d" / "sync"
entry.write_text("* * * * * root /tmp/sync\n")
