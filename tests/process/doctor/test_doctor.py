"""casemate doctor: says what this kernel can do, agrees with what the service then really has, and
names a remedy for what is missing."""

import json
import subprocess
from pathlib import Path

import pytest
from service import USERS, Service

NAMESPACES = ["user_namespace", "mount_namespace_and_root", "pid_namespace", "network_namespace",
              "ipc_namespace", "uts_namespace", "cgroup_namespace", "time_namespace", "cell"]
REQUIRED = NAMESPACES + ["landlock", "seccomp_filter", "capabilities", "memfd_sealing",
                         "pidfd", "clone3", "close_range", "openat2"]
OPTIONAL = ["kernel", "max_user_namespaces", "max_mnt_namespaces", "max_net_namespaces",
            "unprivileged_userns_clone", "apparmor_restrict_unprivileged_userns",
            "transparent_huge_pages", "seccomp_notification", "cgroups", "core_scheduling",
            "capabilities_of_the_warden", "processes_of_others"]


@pytest.fixture(scope="module", params=USERS)
def service(request):
    instance = Service(user=request.param)
    yield instance
    instance.remove()


def ask(service, *arguments, **options):
    done = service.tool("doctor", *arguments, check=False, **options)
    assert done.stderr == ""
    return done


def features(service):
    document = json.loads(ask(service, "--json").stdout)
    return document, {feature["name"]: feature for feature in document["features"]}


def test_every_feature_has_its_line(service):
    document, found = features(service)
    is_root = service.user == "root"

    assert set(REQUIRED) | set(OPTIONAL) <= set(found)
    assert {name for name, feature in found.items() if feature["required"]} >= set(REQUIRED)
    assert document["root"] == is_root and document["ready"] is True
    for feature in found.values():
        assert feature["state"] in ("usable", "limited", "missing"), feature
        # Whoever is told that something is missing is told what to do, and nobody else.
        assert ("remedy" in feature) == (feature["state"] != "usable"), feature
        assert feature.get("remedy", "some") != "", feature


def test_the_table_says_the_same(service):
    done = ask(service)
    _, found = features(service)
    lines = done.stdout.splitlines()

    assert done.returncode == 0
    assert lines[0].split() == ["FEATURE", "STATE", "NEED", "DETAIL"]
    rows = {line.split()[0]: line for line in lines[1:] if line and not line.startswith(" ")}
    for name, feature in found.items():
        need = "required" if feature["required"] else "optional"
        assert rows[name].split()[1:3] == [feature["state"], need]
        if feature["state"] != "usable":
            assert f"  -> {feature['remedy']}" in lines
    who = "root" if service.user == "root" else "this user"
    assert f"Level full can be used here as {who}." in lines


def test_the_service_has_what_the_doctor_promised(service):
    _, found = features(service)
    service.start()
    client = service.client()
    try:
        isolation = client.run("print(1)")["isolation"]
        capabilities = client.get("/v1/capabilities").json
    finally:
        client.close()
        service.stop()

    assert set(isolation["layers"]) == set(capabilities["isolation"]["layers"])
    assert found["landlock"]["detail"] == f"ABI {capabilities['isolation']['landlock_abi']}"
    has_groups = {name for name in isolation["layers"] if name.startswith("cgroup_")}
    # Version 2 cannot be asked without moving processes: the doctor may promise less than the
    # service, started in a group of its own, then has; never more.
    promised = found["cgroups"]["detail"].split(":")[-1].split()
    if found["cgroups"]["state"] != "missing" and service.user == "root":
        assert {f"cgroup_{name}" for name in promised} <= has_groups | {"cgroup_namespace"}


def test_what_is_required_and_missing_is_an_error(service):
    """In a namespace where no user namespace may be made, as some hosts are set up."""
    if service.user != "root":
        return  # an ordinary user's programs are out of reach in the namespace made for this
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "--pid", "--fork", "--mount-proc", "sh",
         "-c", 'echo 0 >/proc/sys/user/max_user_namespaces && exec "$0" doctor --json',
         str(service.casemate)], capture_output=True, text=True, timeout=60)
    document = json.loads(done.stdout)
    found = {feature["name"]: feature for feature in document["features"]}

    assert done.returncode == 1 and document["ready"] is False
    assert found["user_namespace"]["state"] == "missing"
    assert found["max_user_namespaces"]["remedy"] == "sysctl -w user.max_user_namespaces=10000"
    assert found["memfd_sealing"]["state"] == "usable"


HIDDEN = ["unshare", "--mount", "sh", "-c",
          'mount -t proc -o hidepid=invisible proc /proc && exec "$@"', "sh"]


@pytest.mark.parametrize("level, around, name, detail", [
    ("full", ["setpriv", "--bounding-set=-sys_chroot"], "capabilities", "CAP_SYS_CHROOT"),
    ("landlock", ["setpriv", "--bounding-set=-fowner,-kill"], "capabilities_of_the_warden",
     "without CAP_KILL CAP_FOWNER"),
    ("landlock", ["unshare", "--user", "--map-root-user"], "processes_of_others", "groups"),
    ("landlock", HIDDEN, "processes_of_others", "see a process of another user")])
def test_what_only_the_start_as_root_needs(service, level, around, name, detail):
    """The service does not start there, as root."""
    if service.user != "root":
        return
    done = subprocess.run([*around, service.casemate, "doctor", "--json", "--level", level],
                          capture_output=True, text=True, timeout=60)
    document = json.loads(done.stdout)
    found = {feature["name"]: feature for feature in document["features"]}

    assert done.returncode == 1 and document["ready"] is False
    assert found[name]["state"] == "missing" and detail in found[name]["detail"]
    assert found[name]["required"]


VERSION_2 = next((line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
                  if " - cgroup2 " in line), None)
# The one hierarchy in its usual place, and what its group is said to pass on.
ONLY_VERSION_2 = """
mount --bind "$1" "$2" && umount --lazy --recursive /sys/fs/cgroup &&
mount --bind "$2" /sys/fs/cgroup && umount "$2" &&
mount --bind "$3" "/sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/cgroup.controllers" &&
exec "$4" doctor --json
"""


@pytest.mark.skipif(VERSION_2 is None, reason="no control groups of version 2 are mounted here")
@pytest.mark.parametrize("names, detail", [
    ("cpuset cpu io memory pids", "version 2: memory pids cpu"),
    ("cpuset memory pids", "version 2: memory pids"),
    ("cpuset io", "version 2: none writable")])
def test_version_2_passes_on_what_its_group_has(service, tmp_path, names, detail):
    if service.user != "root":
        return  # an ordinary user can mount nothing
    (tmp_path / "controllers").write_text(names + "\n")
    (tmp_path / "place").mkdir()
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", ONLY_VERSION_2, "sh", VERSION_2, tmp_path / "place",
         tmp_path / "controllers", service.casemate], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = {feature["name"]: feature for feature in json.loads(done.stdout)["features"]}
    assert found["cgroups"]["detail"] == detail


@pytest.mark.parametrize("arguments, code", [
    (["--help"], 0), (["--version"], 0), (["--nonsense"], 2), (["--json", "more"], 2)])
def test_options(service, arguments, code):
    done = service.tool("doctor", *arguments, check=False)

    assert done.returncode == code
    assert "casemate" in (done.stdout if code == 0 else done.stderr)
