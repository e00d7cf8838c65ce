"""The real casemate-front between a played gate and real TLS callers."""

import contextlib
import hashlib
import os
import resource
import select
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading

import pytest
from harness import ORDINARY_UID, SLOW, certs, channel, in_background, stamp, time, wait_until

from descriptors import CAN_COUNT, count_descriptors  # (harness has set the path)

LINGER_ONCE = struct.pack("ii", 1, 0)


def is_cut(stream):
    """True when the front closes it without a word."""
    with contextlib.suppress(ConnectionResetError):
        return stream.recv(1) == b""
    return True


def receive_exactly(stream, length):
    data = bytearray()
    while len(data) < length:
        part = stream.recv(min(1 << 16, length - len(data)))
        assert part, f"the stream ended after {len(data)} bytes"
        data += part
    return bytes(data)


# --- who gets in, and as whom ---------------------------------------------------------------


@pytest.mark.parametrize("name,kind,identity", [
    ("client", "spiffe", "spiffe://casemate.local/client/dev"),
    ("web", "dns", "web.example.org"),
    ("plain", "cn", "plain"),
])
def test_a_good_client_gets_through_with_its_identity(front, pki, name, kind, identity):
    client, gate = front.both(front.context(name))

    client.sendall(b"question")
    assert gate.stream.recv(100) == b"question"
    gate.stream.sendall(b"answer")
    assert client.recv(100) == b"answer"
    assert (gate.kind, gate.identity) == (kind, identity)
    der = ssl.PEM_cert_to_DER_cert((pki / f"{name}.crt").read_text())
    assert gate.fingerprint == hashlib.sha256(der).digest()
    assert gate.tls_version == 0x0304
    assert gate.peer == "%s:%d" % client.getsockname()
    shown = subprocess.run(["openssl", "x509", "-noout", "-serial", "-in", pki / f"{name}.crt"],
                           capture_output=True, text=True).stdout
    assert shown.strip().lower() == f"serial={gate.serial}"


@pytest.mark.parametrize("name,reason,alert", [
    (None, "no_certificate", "CERTIFICATE_REQUIRED"),
    ("foreign", "unknown_ca", "UNKNOWN_CA"),
    ("old", "expired", "CERTIFICATE_EXPIRED"),
    ("young", "not_yet_valid", "BAD_CERTIFICATE"),
    ("gone", "revoked", "CERTIFICATE_REVOKED"),
    ("machine", "wrong_purpose", "UNSUPPORTED_CERTIFICATE"),
    ("ca", "wrong_purpose", "UNSUPPORTED_CERTIFICATE"),
])
def test_a_bad_certificate_is_refused_and_reported(front, pki, name, reason, alert):
    if name == "foreign":
        context = front.context("client", pki.parent / "foreign")
    else:
        context = front.context(name)

    for _ in range(3):
        error = front.handshake_error(context)
        assert error is not None and alert in error.upper().replace(" ", "_"), error

    refused = front.refused()
    assert (refused.reason, refused.count, refused.peer) == (reason, 3, "127.0.0.1")
    subject = {None: "", "foreign": "CN=dev,O=Casemate", "ca": "CN=Casemate development CA,"
               "O=Casemate"}.get(name, f"CN={name},O=Casemate")
    assert refused.subject == subject
    front.connect()
    assert front.accepted().kind == "spiffe"


def test_tls_1_1_gets_a_protocol_version_alert(front, pki):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{front.port}", "-tls1_1", "-cipher",
         "ALL:@SECLEVEL=0", "-cert", pki / "client.crt", "-key", pki / "client.key"],
        input="", capture_output=True, text=True, timeout=20)

    assert done.returncode != 0 and "protocol version" in done.stderr, done.stderr
    assert front.refused().reason == "protocol_version"


def test_tls_1_2_only_when_configured(make_front):
    for allowed in (False, True):
        front = make_front(tls12=allowed)
        context = front.context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if not allowed:
            assert "PROTOCOL" in front.handshake_error(context).upper()
            assert front.refused().reason == "protocol_version"
            continue
        client, gate = front.both(context)
        assert gate.tls_version == 0x0303 and "ECDHE" in client.cipher()[0]
        assert client.session_reused is False
        context = front.context(None)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert front.handshake_error(context) is not None
        assert front.refused().reason == "no_certificate"


def test_alpn_is_http_1_1_or_nothing(front):
    for offered, chosen in ((["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1")):
        context = front.context()
        context.set_alpn_protocols(offered)
        client, _ = front.both(context)
        assert client.selected_alpn_protocol() == chosen
    context = front.context()
    context.set_alpn_protocols(["h2"])
    assert "NO_APPLICATION_PROTOCOL" in front.handshake_error(context).upper().replace(" ", "_")
    assert front.refused().reason == "other"


def test_no_session_can_be_resumed(front):
    client, gate = front.both()
    gate.stream.sendall(b"x")
    assert client.recv(1) == b"x"
    assert client.session is None or not client.session.has_ticket


@pytest.mark.parametrize("request_line", [b"GET / HTTP/1.1\r\n\r\n", b"OPTIONS * HTTP/1.1\r\n\r\n"])
def test_plain_http_is_told_to_use_https(front, request_line):
    with front.plain() as caller:
        caller.sendall(request_line)
        answer = receive_all(caller)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ") and b"https://" in body
    assert f"Content-Length: {len(body)}".encode() in head
    assert front.refused().reason == "not_tls"


def receive_all(stream):
    data = b""
    while part := stream.recv(1 << 16):
        data += part
    return data


def test_a_slow_handshake_is_cut_at_its_deadline(make_front):
    front = make_front(handshake_ms=400 * SLOW)
    started = time.monotonic()

    with front.plain() as caller:
        for byte in b"\x16\x03\x01\x02\x00\x01":  # alive all the time, and never done
            caller.sendall(bytes([byte]))
            time.sleep(0.05)
        assert caller.recv(10) == b""
    waited = time.monotonic() - started
    assert 0.35 * SLOW < waited < 2 * SLOW
    assert front.refused().reason == "timeout"


def test_a_flood_of_refusals_stays_few_messages(front):
    for _ in range(50):
        with front.plain() as caller:
            caller.sendall(b"nonsense\r\n")
            receive_all(caller)
    counts = front.refused()
    total = counts.count
    while total < 50:
        total += front.refused().count
    assert counts.reason == "not_tls" and total == 50


def test_a_port_probe_is_no_refusal(front):
    front.plain().close()
    front.both()
    time.sleep(1.2)
    assert not readable(front.gate)


def readable(channel_end):
    return bool(select.select([channel_end], [], [], 0)[0])


# --- the bytes ----------------------------------------------------------------------------------


def test_ten_megabytes_each_way_with_back_pressure(front):
    client, gate = front.both()
    data = os.urandom(10 << 20)

    def echo():
        time.sleep(0.3)  # until both directions are full
        while part := gate.stream.recv(1 << 16):
            gate.stream.sendall(part)
        gate.stream.close()

    in_background(echo)
    got = exchange(client, data)
    assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest()


def exchange(client, data):
    """Sends and receives at once, in one thread: an SSLSocket does not stand two."""
    client.setblocking(False)
    view, got = memoryview(data), bytearray()
    deadline = time.monotonic() + 60 * SLOW
    while len(got) < len(data):
        assert time.monotonic() < deadline
        select.select([client], [client] if view else [], [], 0.05)
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while view:
                view = view[client.send(view[:1 << 16]):]
        with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            while part := client.recv(1 << 16):
                got += part
            assert len(got) == len(data), "the stream ended early"
    return bytes(got)


def test_a_caller_who_does_not_read_stops_the_gate(front):
    client, gate = front.both()
    gate.stream.setblocking(False)
    sent = 0
    block = bytes(1 << 16)

    deadline = time.monotonic() + 30
    stuck_since = None
    while time.monotonic() < deadline:
        try:
            sent += gate.stream.send(block)
            stuck_since = None
        except BlockingIOError:
            stuck_since = stuck_since or time.monotonic()
            if time.monotonic() - stuck_since > 0.5:
                break
            time.sleep(0.01)
    assert stuck_since is not None and sent < 16 << 20
    assert idle_cpu(front) < 0.1
    receive_exactly(client, sent)


def cpu_seconds(front):
    fields = open(f"/proc/{front.process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle_cpu(front, seconds=0.5):
    before = cpu_seconds(front)
    time.sleep(seconds)
    return (cpu_seconds(front) - before) / seconds


def test_the_whole_answer_arrives_although_the_gate_has_closed(front):
    client, gate = front.both()
    data = os.urandom(3 << 20)

    def answer():
        gate.stream.sendall(data)
        gate.stream.close()

    in_background(answer)
    time.sleep(0.3)
    assert idle_cpu(front) < 0.1
    assert receive_exactly(client, len(data)) == data
    assert client.recv(1) == b""  # close_notify: the end is not a cut


def test_half_close_lets_the_answer_through(front):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(front.pki / "ca.crt")
    context.load_cert_chain(front.pki / "client.crt", front.pki / "client.key")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    caller = front.plain()

    def step(call):
        while True:
            try:
                return call()
            except ssl.SSLWantReadError:
                caller.sendall(outgoing.read())
                incoming.write(caller.recv(1 << 16))

    step(tls.do_handshake)
    tls.write(b"last question")
    with pytest.raises(ssl.SSLWantReadError):
        tls.unwrap()  # close_notify goes out, the TCP connection stays open
    caller.sendall(outgoing.read())
    gate = front.accepted()
    assert receive_all(gate.stream) == b"last question"
    gate.stream.sendall(b"last answer")
    gate.stream.close()
    records = receive_all(caller)
    assert len(records) > len(b"last answer")


def leave(client, how):
    """Returns when the caller had left, in monotonic time."""
    if how == "close_notify_and_fin":
        client.settimeout(0.05)  # the gate's side does not answer the close_notify
        with contextlib.suppress(TimeoutError, ssl.SSLError):
            client.unwrap()
    raw = socket.socket(fileno=client.detach())
    if how == "reset":
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ONCE)
    started = time.monotonic()
    raw.close()
    return started


def hang_up_time(stream):
    poll = select.poll()
    poll.register(stream, 0)
    events = poll.poll(5000)
    assert events and events[0][1] & select.POLLHUP, "no hang-up"
    return time.monotonic()


@pytest.mark.parametrize("how", ["fin", "reset", "close_notify_and_fin"])
def test_the_gate_sees_at_once_that_the_caller_left(front, how):
    client, gate = front.both()
    client.sendall(b"run this")
    assert gate.stream.recv(100) == b"run this"

    started = leave(client, how)
    assert hang_up_time(gate.stream) - started < 3 * SLOW  # and not by a timeout


def test_a_reset_is_seen_although_nothing_is_being_read(front):
    """A FIN would wait behind the unread bytes: TCP cannot show it before they are read."""
    client, gate = front.both()
    client.settimeout(0.5)
    with pytest.raises((TimeoutError, ssl.SSLError)):
        client.sendall(bytes(8 << 20))

    started = leave(client, "reset")
    assert hang_up_time(gate.stream) - started < 3 * SLOW  # and not by a timeout


@pytest.fixture
def many_descriptors():
    """The usual soft limit is 1024; the front's own is raised by its supervisor, here by us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_thousand_connections(many_descriptors, make_front):
    front = make_front(connections_max=1200, handshake_ms=60000)
    context = front.context()
    before = count_descriptors(front.process.pid)
    ends = []

    for number in range(1000):
        client, gate = front.both(context)
        ends.append((number, client, gate))
    for number, client, gate in ends:
        client.sendall(b"%d" % number)
    for number, client, gate in ends:
        assert gate.stream.recv(10) == b"%d" % number
        gate.stream.sendall(b"<%d>" % number)
    for number, client, gate in ends:
        assert client.recv(10) == b"<%d>" % number
    for _, client, gate in ends:
        client.close()
        gate.stream.close()
    assert wait_until(lambda: count_descriptors(front.process.pid) == before)


def test_strangers_cannot_lock_callers_out(make_front):
    front = make_front(connections_max=8, handshake_ms=60000)
    strangers = [front.plain() for _ in range(30)]

    client, gate = front.both()
    client.sendall(b"here")
    assert gate.stream.recv(10) == b"here"
    for stranger in strangers:
        stranger.close()


def test_one_address_has_a_share_of_the_handshakes(make_front):
    front = make_front(connections_max=64, per_address=4, handshake_ms=60000)
    descriptors = count_descriptors(front.process.pid)
    others = [front.plain("127.0.0.2") for _ in range(3)]
    callers = [front.both() for _ in range(6)]  # established ones are not counted
    flood = [front.plain() for _ in range(12)]

    # Its own oldest make room, so whoever comes last from there still gets in.
    client, gate = front.both()
    client.sendall(b"here")
    assert gate.stream.recv(10) == b"here"
    for stranger in flood[:9]:
        assert is_cut(stranger)
    counted = 0
    while counted < 9:
        refused = front.refused()
        assert (refused.reason, refused.peer) == ("too_many", "127.0.0.1")
        counted += refused.count
    # Three of the flood are left, those from elsewhere, and seven callers with two descriptors.
    added = 3 + 3 + 7 * 2 if CAN_COUNT else 0
    assert wait_until(lambda: count_descriptors(front.process.pid) == descriptors + added)
    for stranger in others:
        stranger.settimeout(0.05)
        with pytest.raises(TimeoutError):
            stranger.recv(1)
    for client, gate in callers:
        client.sendall(b"too")
        assert gate.stream.recv(10) == b"too"


def test_when_all_slots_are_taken_callers_wait_in_the_backlog(make_front):
    front = make_front(connections_max=2)
    first, second = front.both(), front.both()
    entered = threading.Event()

    def third():
        front.connect()
        entered.set()

    in_background(third)
    assert not entered.wait(0.5)
    assert idle_cpu(front) < 0.1
    first[0].close()
    assert entered.wait(5 * SLOW)
    front.accepted()
    assert second[0] is not None


# --- reload, neighbours, end ------------------------------------------------------------------------


def serial_of(front):
    with front.connect() as client:
        front.accepted().stream.close()
        return client.getpeercert()["serialNumber"]


def test_reload_keeps_old_connections(front, pki):
    client, gate = front.both()
    before = serial_of(front)

    front.send_config()
    front.send_keys("server-new.crt", "server-new.key")
    assert front.commit() is None
    assert serial_of(front) != before
    client.sendall(b"still here")
    assert gate.stream.recv(100) == b"still here"


def test_reload_brings_a_new_crl_into_force(front, pki):
    context = front.context("plain")
    front.both(context)

    certs("revoke", "plain", "--pki", pki)
    front.send_keys()
    assert front.commit() is None
    assert "REVOKED" in front.handshake_error(context).upper()
    assert front.refused().reason == "revoked"


def check_that_it_ends(front, client, gate):
    """The gate is told, the caller is not heard any more, the answer on its way arrives."""
    assert front.told_to_close() == gate.number
    client.sendall(b"one more question")
    gate.stream.sendall(b"answer")
    assert client.recv(100) == b"answer"
    assert not select.select([gate.stream], [], [], 0.1)[0]
    gate.stream.close()
    assert client.recv(100) == b""


def test_a_connection_ends_when_its_certificate_is_revoked(front, pki):
    others = [front.both() for _ in range(40)]  # more than are judged in one round
    client, gate = front.both(front.context("plain"))
    client.sendall(b"question")
    assert gate.stream.recv(100) == b"question"

    certs("revoke", "plain", "--pki", pki)
    front.send_keys()
    assert front.commit() is None
    check_that_it_ends(front, client, gate)
    assert front.refused().reason == "revoked"
    for client, gate in others:
        client.sendall(b"still here")
        assert gate.stream.recv(100) == b"still here"


def test_a_connection_ends_when_its_ca_is_no_longer_trusted(make_front, pki):
    front = make_front(crl=False)
    client, gate = front.both()

    shutil.copy(pki.parent / "foreign" / "ca.crt", pki / "other-ca.crt")
    front.send_keys(ca="other-ca.crt")
    assert front.commit() is None
    check_that_it_ends(front, client, gate)
    assert front.refused().reason == "unknown_ca"


def test_a_connection_ends_with_its_certificate(front, pki):
    client, gate = front.both()
    certs("issue", "short", "--pki", pki, "--not-before", stamp(-1),
          "--not-after", stamp(3 * SLOW / 86400))
    short, short_gate = front.both(front.context("short"))

    check_that_it_ends(front, short, short_gate)
    assert front.refused().reason == "expired"
    client.sendall(b"still here")
    assert gate.stream.recv(100) == b"still here"


def test_a_handshake_begun_before_a_reload_is_judged_by_the_new_keys(front, pki):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = front.context("plain").wrap_bio(incoming, outgoing, server_hostname="localhost")
    stream = front.plain()
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    stream.sendall(outgoing.read())
    while not client.version() or client.cipher() is None:
        incoming.write(stream.recv(65536))
        try:
            client.do_handshake()
            break
        except ssl.SSLWantReadError:
            pass

    certs("revoke", "plain", "--pki", pki)
    front.send_keys()
    assert front.commit() is None
    stream.sendall(outgoing.read())
    assert stream.recv(65536) == b"" or is_cut(stream)
    assert front.refused().reason == "revoked"  # and no FRONT_CONNECTION came before


def expired_crl(pki):
    """Signed by our CA, ended yesterday."""
    (pki / "index").write_text("")
    (pki / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={pki}/index\ndefault_md=sha256\n")
    subprocess.run(
        ["openssl", "ca", "-gencrl", "-config", pki / "ca.cnf", "-cert", pki / "ca.crt",
         "-keyfile", pki / "ca.key", "-out", pki / "crl-old.pem", "-crl_lastupdate",
         "20200101000000Z", "-crl_nextupdate", "20200102000000Z"],
        check=True, capture_output=True)
    return "crl-old.pem"


@pytest.mark.parametrize("keys,why", [
    (lambda pki: ("server-old.crt", "server-old.key"), "expired"),
    (lambda pki: ("server.crt", "client.key"), "does not belong"),
    (lambda pki: ("client.crt", "client.key"), "serverAuth"),
    (lambda pki: ("server.key", "server.key"), "no PEM certificate"),
    (lambda pki: ("server.crt", "server.crt"), "no unencrypted PEM private key"),
    (lambda pki: ("server.crt", "server.key", "client.crt"), "not a CA"),
    (lambda pki: ("server.crt", "server.key", "../foreign/ca.crt"), "signed by a client CA"),
    (lambda pki: ("server.crt", "server.key", "ca.crt", expired_crl(pki)), "CRL expired"),
])
def test_a_bad_reload_is_refused_and_changes_nothing(front, pki, keys, why):
    client, gate = front.both()

    front.send_keys(*keys(pki))
    detail = front.commit()
    assert detail is not None and why in detail
    client.sendall(b"a")
    assert gate.stream.recv(1) == b"a"
    front.both()


def test_bad_keys_at_the_start_end_the_front_with_the_reason(make_front):
    front = make_front(start=False)
    front.hello()
    front.send_config()
    front.send_keys("server-old.crt", "server-old.key")
    front.send_gate()

    assert "expired" in front.commit()
    assert front.process.wait(10) == 1


def test_keys_leave_no_descriptor_behind(front):
    before = count_descriptors(front.process.pid)
    for _ in range(20):
        front.send_config()
        front.send_keys()
        assert front.commit() is None
    assert count_descriptors(front.process.pid) == before


@pytest.mark.parametrize("packet", [
    b"", b"\x00", channel.HEADER.pack(100, 0, 5, 0) + b"abc", channel.HEADER.pack(999, 0, 0, 0),
    channel.HEADER.pack(100, 0, 0xFFFFFFFF, 0), bytes(4000),
])
def test_a_malformed_message_drops_only_the_channel(front, packet):
    client, gate = front.both()

    front.gate.send(packet) if packet else front.gate.shutdown(socket.SHUT_WR)
    assert channel.receive(front.gate) is None
    with pytest.raises((ssl.SSLError, ConnectionError)):
        while client.recv(100):
            pass
        raise ConnectionError
    waiting = in_background(front.connect)  # in the backlog meanwhile
    time.sleep(0.2)
    front.send_gate()
    assert front.accepted().kind == "spiffe"
    waiting.join(5)
    assert front.process.poll() is None


def test_the_gates_death_closes_its_connections_and_a_new_one_takes_over(front):
    client, _ = front.both()
    for _ in range(3):
        front.gate.close()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            while client.recv(100):
                pass
            raise ConnectionError
        front.send_gate()
        client, gate = front.both()
        client.sendall(b"again")
        assert gate.stream.recv(10) == b"again"


def test_the_supervisors_death_ends_the_front(make_front):
    front = make_front()
    front.both()
    front.supervisor.close()
    assert front.process.wait(5 * SLOW) != 0


def test_drain_lets_connections_finish_and_exits_0(front):
    client, gate = front.both()
    front.drain(10000)
    time.sleep(0.2)
    with pytest.raises(OSError):  # our copy of the listener still queues, but nobody answers
        front.listener.close()
        front.plain()
    client.sendall(b"unfinished")
    assert gate.stream.recv(100) == b"unfinished"
    gate.stream.sendall(b"done")
    gate.stream.close()
    assert client.recv(100) == b"done"
    client.close()
    assert channel.receive(front.supervisor).type == channel.SETUP_DRAINED
    assert front.process.wait(5 * SLOW) == 0


def test_drain_ends_at_its_deadline(front):
    front.both()
    started = time.monotonic()
    front.drain(300)
    assert channel.receive(front.supervisor).type == channel.SETUP_DRAINED
    assert front.process.wait(5 * SLOW) == 0
    assert time.monotonic() - started < 2 * SLOW


def test_signals_of_the_terminal_do_not_stop_it(front):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(front.process.pid, number)
    front.both()


def test_it_is_confined(front):
    status = open(f"/proc/{front.process.pid}/status").read()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Seccomp"] == "2" and fields["NoNewPrivs"] == "1"
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        if name != "CapBnd" or os.geteuid() == 0:
            assert int(fields[name], 16) == 0, name
    if os.geteuid() == 0:
        assert fields["Uid"].split()[0] == str(1900000901) and fields["Groups"].strip() == ""


def test_thousands_of_requests_a_second(front):
    client, gate = front.both()

    def answer():
        while part := gate.stream.recv(1000):
            gate.stream.sendall(part)

    in_background(answer)
    started, count = time.monotonic(), 0
    while time.monotonic() - started < 1:
        client.sendall(b"x" * 300)
        client.recv(1000)
        count += 1
    print(count, "round trips a second, client and gate in Python on the same cores")
    assert count > (1000 if SLOW == 1 else 50)


def test_an_ordinary_user_can_run_it(make_front):
    front = make_front(user=ORDINARY_UID)
    client, gate = front.both()
    client.sendall(b"question")
    assert gate.stream.recv(100) == b"question"
    status = open(f"/proc/{front.process.pid}/status").read()
    assert "Seccomp:\t2" in status and "NoNewPrivs:\t1" in status
