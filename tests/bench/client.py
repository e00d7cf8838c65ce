"""The load client (load.c): callers that keep their connections and do little else."""

import json
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "build" / "release" / "bench" / "load"


def load(service, document, requests, connections=1, pause_us=0, path="/v1/executions"):
    """What it counted and timed. `document`: what each request posts; None for a GET."""
    body = service.folder / "body.json"
    body.write_text(json.dumps(document) if document is not None else "")
    done = subprocess.run([PROGRAM, service.pki, str(service.port), str(connections), str(requests),
                           str(pause_us), body, path], capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return json.loads(done.stdout)
