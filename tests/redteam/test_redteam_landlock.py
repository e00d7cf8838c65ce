"""`casemate redteam` against the service at level landlock, which has walls of its own and fewer.

What is left open there is written down twice: by the service (`isolation.not_promised`, THREATS) and
here, probe by probe. A probe that escapes and is not on the list fails the test, and so does one of
the list that no longer escapes.
"""

import json

import pytest
from service import USERS, Service, merge
from test_redteam import SMALL, TEST_BUILD, redteam

LANDLOCK = merge(SMALL, {"isolation": {"level": "landlock"}})

# Which gap of isolation.not_promised explains it; None: nothing is left open by it, the thing that
# the probe looks at is not there (a namespace, a read-only mount), and others hold in its place.
OPEN = {
    "cross.core_cookie": "core_of_its_own",  # where the kernel and the processors have none
    "cross.access_time": "hidden_file_names",
    "cross.hostname": "hidden_host_name",
    "cross.own_uid_inside": None,
    "cross.process_numbers": "hidden_processes",
    "files.proc_is_absent": "hidden_processes",
    "files.set_uid_programs_have_no_effect": None,
    "files.system_is_read_only": None,
    "kernel.boot_time": "hidden_uptime",
    "kernel.namespace_cgroup": None,
    "kernel.namespace_ipc": None,
    "kernel.namespace_mnt": None,
    "kernel.namespace_net": None,
    "kernel.namespace_pid": "hidden_processes",
    "kernel.namespace_time": "hidden_uptime",
    "kernel.namespace_user": None,
    "kernel.namespace_uts": "hidden_host_name",
    "kernel.refusal_is_told": "denial_events",
    "network.namespace_number": None,
    "network.refusal_is_told": "denial_events",
    "processes.own_pid_is_small": "hidden_processes",
    "processes.parent_has_no_number": "hidden_processes",
    # kill(-1) says success where it may signal nobody of many; cross.signal_a_running_job and
    # processes.signal_host_process try single ones, and hold.
    "processes.signal_everyone": "hidden_processes",
}
# An ordinary user has neither the right to empty the set (no_new_privs makes it of no use) nor
# users or groups to give out, and jobs have threads only.
ORDINARY = {
    "cross.own_user_of_the_host": "user_of_its_own",
    "processes.bounding_set_is_empty": None,
    "resources.cpu_group": "processor_share",
    "resources.memory_group": "job_memory",
    "resources.pids_group": "thread_limit",
}
# Cannot be seen where the service may not read the jobs' entries in /proc; there no second process
# shows numbers, and a mount with relatime notes a reading now and then only. Cookies are the machine's.
UNSEEN = {name for name in OPEN if name.startswith("kernel.namespace_")}
BY_CHANCE = {"cross.access_time", "cross.core_cookie", "cross.process_numbers"}


@pytest.fixture(scope="module", params=USERS)
def bare(request):
    service = Service(user=request.param, config=LANDLOCK)
    try:
        yield service.start()
    finally:
        service.remove()


def test_what_is_open_is_what_is_written_down(bare):
    done = redteam(bare, "--json")
    probes = json.loads(done.stdout)["probes"]
    told = {line.split()[2]: line for line in done.stderr.splitlines()}
    lacking = {name for name, line in told.items() if "lacks the layer" in line}
    unseen = set(told) - lacking
    client = bare.client()
    isolation = client.run("print(1)")["isolation"]
    client.close()
    has_groups = "cgroup_pids" in isolation["layers"]
    expected = {**OPEN, **({} if bare.user == "root" else ORDINARY)}

    assert [probe for probe in probes if not probe["held"]] == []
    assert done.returncode == 0, done.stderr
    assert unseen == (set() if bare.user == "root" else UNSEEN)
    if has_groups:
        expected = {name: gap for name, gap in expected.items() if not name.endswith("_group")}
    if bare.user != "root" and isolation["landlock_abi"] < 6:  # then a list of calls refuses it
        del expected["processes.signal_everyone"]
    assert lacking | unseen | BY_CHANCE == set(expected) | BY_CHANCE
    gaps = {gap for name, gap in expected.items() if gap and name in lacking | unseen}
    assert gaps <= set(isolation["not_promised"])


@pytest.mark.skipif(not TEST_BUILD.exists(), reason="build it with `make VARIANT=test all`")
def test_files_of_the_host_are_reached_without_landlock():
    """Or the probes that try have proved nothing at this level."""
    off = {"isolation": {"layers_disabled": ["landlock"], "layers_required": []}}
    with Service(build=TEST_BUILD, config=merge(LANDLOCK, off)) as service:
        done = redteam(service, "--json", "--only", "files.", as_user=False)
    escaped = {probe["id"] for probe in json.loads(done.stdout)["probes"] if not probe["held"]}
    assert done.returncode == 1
    assert escaped >= {"files.read_host_file", "files.symlink_to_host_file",
                       "files.leave_by_dot_dot", "files.write_host_file",
                       "files.create_in_host_folder", "files.list_host_root",
                       "files.host_accounts", "files.proc_of_init", "files.cgroup_tree"}
