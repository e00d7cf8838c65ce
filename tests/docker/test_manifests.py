"""The manifests render, match the Kubernetes schemas strictly, and keep the promises we make."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "docker" / "kubernetes" / "base"
LANDLOCK = ROOT / "docker" / "kubernetes" / "landlock"
# hostUsers is stable from 1.36 on; 1.34 is the oldest release we say works.
VERSIONS = ["1.34", "1.37"]
VALIDATOR = "kubernetes-validate==1.37.0"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl: tests/support/deps.sh docker installs one")
    path = tmp_path_factory.mktemp("k8s") / "all.yaml"
    done = subprocess.run(["kubectl", "kustomize", str(BASE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    path.write_text(done.stdout)
    return path


@pytest.fixture(scope="module")
def validate():
    """The schemas come with a package, so nothing is fetched while validating."""
    venv = ROOT / "build" / "venv-kubernetes"
    program = venv / "bin" / "kubernetes-validate"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        subprocess.run([str(venv / "bin" / "pip"), "install", "-q", VALIDATOR], check=True)
    return program


@pytest.mark.parametrize("version", VERSIONS)
def test_schema(rendered, validate, version):
    done = subprocess.run([str(validate), "--strict", "-k", version, str(rendered)],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_check_notices_an_unknown_field(rendered, validate, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text(rendered.read_text().replace("hostUsers:", "hostUser:"))
    done = subprocess.run([str(validate), "--strict", "-k", VERSIONS[0], str(broken)],
                          capture_output=True, text=True)
    assert done.returncode != 0


def test_restricted_pod(rendered):
    documents = {doc["kind"]: doc for doc in yaml.safe_load_all(rendered.read_text())}
    pod = documents["Deployment"]["spec"]["template"]["spec"]
    container = pod["containers"][0]
    config = json.loads(next(iter(documents["ConfigMap"]["data"].values())))

    assert pod["hostUsers"] is False and pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"]["type"] == "Localhost"
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]}}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["port"] == "operations"
    grace_ms = pod["terminationGracePeriodSeconds"] * 1000
    assert grace_ms > config["drain_timeout_ms"] + 5000
    assert {"Service", "NetworkPolicy", "PodDisruptionBudget"} <= set(documents)


def test_without_user_namespaces(validate, tmp_path):
    """The overlay for such clusters asks for none, and for no profile of its own."""
    if shutil.which("kubectl") is None:
        pytest.skip("no kubectl: tests/support/deps.sh docker installs one")
    done = subprocess.run(["kubectl", "kustomize", str(LANDLOCK)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    documents = {doc["kind"]: doc for doc in yaml.safe_load_all(done.stdout)}
    pod = documents["Deployment"]["spec"]["template"]["spec"]
    config = json.loads(next(iter(documents["ConfigMap"]["data"].values())))
    path = tmp_path / "all.yaml"
    path.write_text(done.stdout)

    assert "hostUsers" not in pod
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert config["isolation"]["level"] == "landlock"
    mounts = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    assert {config["isolation"]["workspaces"], "/var/lib/casemate"} <= mounts
    for version in VERSIONS:
        checked = subprocess.run([str(validate), "--strict", "-k", version, str(path)],
                                 capture_output=True, text=True)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_selector_finds_the_pods(rendered):
    documents = {doc["kind"]: doc for doc in yaml.safe_load_all(rendered.read_text())}
    labels = documents["Deployment"]["spec"]["template"]["metadata"]["labels"]

    assert documents["Service"]["spec"]["selector"] == labels
    assert documents["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert documents["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert documents["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels


def test_the_seccomp_profile_is_up_to_date():
    script = ROOT / "docker" / "seccomp-profile.py"
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    stored = (ROOT / "docker" / "casemate-seccomp.json").read_text()
    assert done.stdout == stored, "run docker/seccomp-profile.py > docker/casemate-seccomp.json"


def test_the_seccomp_profile_refuses_what_the_service_denies_itself():
    """No call that a list denies without condition comes back through a set-up reason."""
    profile = json.loads((ROOT / "docker" / "casemate-seccomp.json").read_text())
    allowed = {name for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ALLOW"
               for name in rule["names"]}
    denied = set()
    for path in ("server/supervisor/deny.seccomp.def", "sandbox/warden/warden.seccomp.def"):
        denied |= set(re.findall(r"^DENY\((\w+),", (ROOT / path).read_text(), flags=re.M))

    assert profile["defaultAction"] == "SCMP_ACT_ERRNO" and profile["defaultErrnoRet"] == 1
    assert len(denied) > 20 and not denied & allowed


@pytest.mark.parametrize("path", [BASE / "casemate.json", LANDLOCK / "casemate.json",
                                  ROOT / "docker" / "casemate.json"])
def test_shipped_configuration_is_valid(path):
    program = ROOT / "build" / "release" / "libexec" / "casemate" / "casemate-validator"
    done = subprocess.run([str(program), "config", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_compose_file_adds_no_privilege():
    service = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())["services"]["casemate"]

    assert service["cap_drop"] == ["ALL"] and service["read_only"] is True
    assert "privileged" not in service and "cap_add" not in service
    assert any("casemate-seccomp.json" in option for option in service["security_opt"])
