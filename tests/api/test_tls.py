"""Who may not in is stopped at the handshake and goes on record; keys reload without a cut."""

import datetime
import signal
import socket
import ssl
import subprocess

import pytest
from service import wait_until


def handshake(service, context):
    """None when the server accepts and answers; the error otherwise. In TLS 1.3 a client hears
    of its refusal on the first read."""
    try:
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as tls:
                tls.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
                data = tls.recv(100)
                return None if data.startswith(b"HTTP/1.1 200") else (data or "closed")
    except (ssl.SSLError, ConnectionError) as error:
        return error


def is_refused(service, context):
    """Not by an answer: a good certificate of somebody unknown gets one, 403."""
    return isinstance(handshake(service, context), ssl.SSLError)


def recorded(service, reason):
    return any(reason in str(row) or reason.encode() in bytes(row[0])
               for row in service.query("SELECT body FROM records WHERE kind = 'tls_refused'"))


def stamp(days):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def issue(service, name, *options):
    service.tool("certs", "issue", name, "--pki", service.pki, *options)
    return service.tls(name)


def foreign_ca(service):
    service.tool("certs", "init", "--pki", service.folder / "foreign")
    context = service.tls(None)
    context.load_cert_chain(service.folder / "foreign/client.crt",
                            service.folder / "foreign/client.key")
    return context


def revoked(service):
    context = issue(service, "revoked")
    service.tool("certs", "revoke", "revoked", "--pki", service.pki)
    service.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: is_refused(service, context))
    return context


REFUSALS = {
    "no_certificate": lambda service: service.tls(None),
    "unknown_ca": foreign_ca,
    "expired": lambda service: issue(
        service, "old", "--not-before", stamp(-10), "--not-after", stamp(-1)),
    "not_yet_valid": lambda service: issue(
        service, "young", "--not-before", stamp(2), "--not-after", stamp(10)),
    "wrong_purpose": lambda service: issue(service, "server2", "--server"),
    "revoked": revoked,
}


@pytest.mark.parametrize("reason", REFUSALS)
def test_refused_at_the_handshake_and_recorded(service, reason):
    context = REFUSALS[reason](service)

    assert is_refused(service, context)
    assert wait_until(lambda: recorded(service, reason), timeout=5), service.log()
    assert handshake(service, service.tls()) is None


def test_tls_1_1_is_refused_and_recorded(service):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{service.port}", "-tls1_1",
         "-cipher", "ALL:@SECLEVEL=0", "-cert", service.pki / "client.crt",
         "-key", service.pki / "client.key"],
        input=b"", capture_output=True, timeout=20)

    assert done.returncode != 0
    assert wait_until(lambda: recorded(service, "protocol_version"), timeout=5)


def test_tls_1_2_only_when_configured(own_service):
    def context(service):
        made = service.tls()
        made.maximum_version = ssl.TLSVersion.TLSv1_2
        return made

    service = own_service()
    assert handshake(service, context(service)) is not None
    service = own_service({"tls": {"tls12": True}})
    assert handshake(service, context(service)) is None


def test_certificate_reload(own_service):
    service = own_service()
    old = service.client()
    assert old.run("print(1)")["stdout"] == "1\n"

    def server_serial():
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as plain:
            with service.tls().wrap_socket(plain, server_hostname="localhost") as tls:
                return tls.getpeercert()["serialNumber"]

    before = server_serial()
    service.tool("certs", "issue", "server", "--server", "--dns", "localhost", "--force",
                 "--pki", service.pki)
    service.process.send_signal(signal.SIGHUP)
    assert wait_until(lambda: server_serial() != before), service.log()
    assert old.connection is not None and old.run("print(2)")["stdout"] == "2\n"


def test_plain_http_on_the_tls_port(service):
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        data = plain.recv(1000)
    assert b"200" not in data[:20]
    assert handshake(service, service.tls()) is None
