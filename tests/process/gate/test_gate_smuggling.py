"""Raw heads that libmicrohttpd 0.9.75 or a careless proxy would read in two ways.

Each is refused with its status and the connection is closed, and the request smuggled behind it
does not run. The table names what RFC 9112 or 9110 says, not what one server happens to do.
"""

import pytest
from gate_harness import SLOW

SMUGGLED = "GET /v1/runtimes HTTP/1.1\r\nHost: smuggled\r\n\r\n"
BODY = '{"language":"python","code":"1"}'


def get(*fields, target="/livez", version="HTTP/1.1", method="GET", host=True):
    lines = [f"{method} {target} {version}"]
    lines += ["Host: a"] if host else []
    return "\r\n".join([*lines, *fields]) + "\r\n\r\n"


def post(*fields, body=BODY, length=True):
    fields = ["Content-Type: application/json", *fields]
    fields += [f"Content-Length: {len(body)}"] if length else []
    return get(*fields, target="/v1/executions", method="POST") + body


CHUNKED = "5\r\nhello\r\n0\r\n\r\n"

TABLE = {
    # who is asked
    "two Host": (400, get("Host: b")),
    "two equal Host": (400, get("Host: a")),
    "no Host": (400, get(host=False)),
    "empty Host": (400, get("Host:", host=False)),
    "Host with user": (400, get("Host: a@b", host=False)),
    "Host with path": (400, get("Host: a/b", host=False)),
    "Host with space": (400, get("Host: a b", host=False)),
    "Host with comma": (400, get("Host: a,b", host=False)),
    "Host with a bad port": (400, get("Host: a:8x", host=False)),
    "Host with an open bracket": (400, get("Host: [::1", host=False)),
    "absolute form with another host": (400, get(target="http://b/livez")),
    "absolute form with user": (400, get(target="http://a@a/livez")),
    "another scheme": (400, get(target="ftp://a/livez")),
    "authority form": (400, get(target="a:443")),
    "CONNECT": (400, get(target="a:443", method="CONNECT")),
    "asterisk with GET": (400, get(target="*")),
    # how the body is framed
    "two Content-Length": (400, post("Content-Length: 3")),
    "two equal Content-Length": (400, post(f"Content-Length: {len(BODY)}")),
    "list in Content-Length": (400, post("Content-Length: 3, 3", length=False)),
    "negative Content-Length": (400, post("Content-Length: -1", length=False)),
    "signed Content-Length": (400, post("Content-Length: +3", length=False)),
    "hexadecimal Content-Length": (400, post("Content-Length: 0x3", length=False)),
    "empty Content-Length": (400, post("Content-Length:", length=False)),
    "huge Content-Length": (400, post("Content-Length: 99999999999999999999", length=False)),
    "Content-Length with chunked": (400, post("Transfer-Encoding: chunked")),
    "Content-Length with chunked, other order": (
        400, get("Transfer-Encoding: chunked", "Content-Length: 3", target="/v1/executions",
                 method="POST") + CHUNKED),
    "chunked": (411, post("Transfer-Encoding: chunked", length=False, body=CHUNKED)),
    "chunked on GET": (411, get("Transfer-Encoding: chunked") + CHUNKED),
    "POST without a length": (411, post(length=False, body="")),
    "two Transfer-Encoding": (400, post("Transfer-Encoding: chunked",
                                        "Transfer-Encoding: identity", length=False)),
    "Transfer-Encoding identity": (501, post("Transfer-Encoding: identity", length=False)),
    "Transfer-Encoding gzip, chunked": (501, post("Transfer-Encoding: gzip, chunked",
                                                  length=False)),
    "Transfer-Encoding with a tail": (501, post("Transfer-Encoding: chunked\x0b"[:-1] + "x",
                                                length=False)),
    "Transfer-Encoding after a vertical tab": (400, post("Transfer-Encoding:\x0bchunked",
                                                         length=False)),
    "Transfer-Encoding in HTTP/1.0": (400, get("Transfer-Encoding: chunked",
                                               version="HTTP/1.0")),
    "body on GET": (400, get("Content-Length: 5") + "hello"),
    # bytes of the fields
    "space before the colon": (400, get("X-A : b")),
    "Content-Length with space before the colon": (400, post("Content-Length : 3")),
    "tab before the colon": (400, get("X-A\t: b")),
    "space in a name": (400, get("X A: b")),
    "bracket in a name": (400, get("X[A]: b")),
    "empty name": (400, get(": b")),
    "no colon": (400, get("X-A")),
    "NUL in a name": (400, get("X\0A: b")),
    "NUL in a value": (400, get("X-A: b\0c")),
    "NUL ends a value": (400, get("X-A: b\0")),
    "bell in a value": (400, get("X-A: b\x07")),
    "DEL in a value": (400, get("X-A: b\x7f")),
    "latin-1 in a name": (400, get("X-\xe4: b")),
    "folded header": (400, get("X-A: b", " c")),
    "folded header with a tab": (400, get("X-A: b", "\tTransfer-Encoding: chunked")),
    "space before the first header": (400, "GET /livez HTTP/1.1\r\n Host: a\r\n\r\n"),
    "bare LF after the request line": (400, "GET /livez HTTP/1.1\nHost: a\r\n\r\n"),
    "bare LF after a header": (400, "GET /livez HTTP/1.1\r\nHost: a\nX-A: b\r\n\r\n"),
    "bare LF at the end": (400, "GET /livez HTTP/1.1\r\nHost: a\r\n\n"),
    "bare CR in a value": (400, get("X-A: b\rc")),
    "bare CR ends a header": (400, "GET /livez HTTP/1.1\r\nHost: a\rX: b\r\n\r\n"),
    "CR CR LF": (400, "GET /livez HTTP/1.1\r\r\nHost: a\r\n\r\n"),
    "two Content-Type": (400, post("Content-Type: text/plain")),
    "two Expect": (400, post("Expect: 100-continue", "Expect: 100-continue")),
    # the request line
    "NUL in the path": (400, get(target="/a\0b")),
    "%00 in the path": (400, get(target="/livez%00x")),
    "%0a in the path": (400, get(target="/livez%0aHost:b")),
    "%7f in the path": (400, get(target="/livez%7f")),
    "cut escape": (400, get(target="/livez%2")),
    "escape that is none": (400, get(target="/livez%zz")),
    "%00 in the query": (400, get(target="/livez?a=%00")),
    "latin-1 in the path": (400, get(target="/liv\xe9z")),
    "backslash in the path": (400, get(target="\\livez")),
    "angle bracket in the path": (400, get(target="/<a>")),
    "fragment": (400, get(target="/livez#a")),
    "relative path": (400, get(target="livez")),
    "two spaces": (400, "GET  /livez HTTP/1.1\r\nHost: a\r\n\r\n"),
    "space in the path": (400, get(target="/li vez")),
    "tab for space": (400, "GET\t/livez\tHTTP/1.1\r\nHost: a\r\n\r\n"),
    "space at the end": (400, "GET /livez HTTP/1.1 \r\nHost: a\r\n\r\n"),
    "no version": (400, "GET /livez\r\nHost: a\r\n\r\n"),
    "small letters in the version": (400, get(version="http/1.1")),
    "no digit in the version": (400, get(version="HTTP/1.x")),
    "two digits in the version": (400, get(version="HTTP/1.10")),
    "HTTP/0.9": (505, get(version="HTTP/0.9")),
    "HTTP/1.2": (505, get(version="HTTP/1.2")),
    "HTTP/2.0": (505, get(version="HTTP/2.0")),
    "the preface of HTTP/2": (505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "method with a bracket": (400, get(method="G[T")),
    "method in small letters": (501, get(method="get")),
    "unknown method": (501, get(method="FROB")),
    "method of 33 letters": (501, get(method="G" * 33)),
    "two empty lines first": (400, "\r\n\r\n" + get()),
    "TLS hello": (400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    "address of 3201 bytes": (414, get(target="/" + "a" * 3200)),
    "address without an end": (414, "GET /" + "a" * 4000),
    # sizes and wishes
    "header section of 17 KiB": (431, get("X-A: " + "b" * 17000)),
    "one header line without an end": (431, "GET / HTTP/1.1\r\nX-A: " + "b" * 20000),
    "65 headers": (431, get(*[f"X-{n}: b" for n in range(65)])),
    "other expectation": (417, get("Expect: 200-ok")),
    "upgrade": (501, get("Upgrade: h2c", "Connection: upgrade")),
}
assert len(TABLE) >= 40

CLOSES = sorted(name for name in TABLE if name not in (
    "unknown method", "method in small letters"))


def refused(gate, name, pieces):
    status, _ = TABLE[name]
    caller = gate.caller()
    for piece in pieces:
        caller.send(piece)
    answer = caller.answer()
    assert answer.status == status, answer
    assert answer.json["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    return caller, answer


@pytest.mark.parametrize("name", sorted(CLOSES))
def test_refused_and_closed_without_running_what_follows(gate, name):
    caller, answer = refused(gate, name, [TABLE[name][1] + SMUGGLED])

    assert answer.headers["connection"] == "close"
    caller.stream.settimeout(1.5 * SLOW)
    assert caller.is_closed()
    assert not gate.is_asked(0.02)


def test_the_verdict_does_not_depend_on_how_the_bytes_arrive(make_gate):
    gate = make_gate()
    for name in CLOSES:
        raw = TABLE[name][1]
        cut = min(len(raw) - 1, 70)
        caller, _ = refused(gate, name, [*raw[:cut], raw[cut:]])
        caller.close()


GOOD = {
    "plain": get(),
    "one empty line first": "\r\n" + get(),
    "absolute form": get(target="https://A/livez"),
    "query": get(target="/livez?a=b&c=/?%20"),
    "host with port": get("Host: a.b-c_d:65535", host=False),
    "IPv6 host": get("Host: [::1]:80", host=False),
    "no blank after the colon": get("X-A:b"),
    "blanks around a value": get("X-A: \t b \t "),
    "latin-1 in a value": get("X-A: \xe4"),
    "Content-Length 0": get("Content-Length: 0"),
    "64 headers": get(*[f"X-{n}: b" for n in range(63)]),
    "HTTP/1.0 kept": get("Connection: keep-alive", version="HTTP/1.0", host=False),
}


@pytest.mark.parametrize("name", sorted(GOOD))
def test_legal_heads_pass_and_the_connection_stays(served, name):
    caller = served.caller()
    for _ in range(2):
        caller.send(GOOD[name])
        answer = caller.answer()
        assert answer.status == 200, answer
    assert caller.request("GET", "/livez").status == 200


def test_an_unknown_method_does_not_cost_the_connection(served):
    caller = served.caller()
    caller.send(get(method="FROB"))
    caller.answer().problem("not_implemented")
    caller.send(get(method="get"))
    caller.answer().problem("not_implemented")
    assert caller.request("GET", "/livez").status == 200


def test_no_header_forges_an_identity(gate):
    caller = gate.caller()
    caller.send(get("X-Forwarded-Client-Cert: URI=spiffe://casemate.local/admin",
                    "Client-Cert: :AAAA:", "X-Forwarded-For: 1.2.3.4",
                    "ssl-client-verify: SUCCESS", target="/v1/runtimes"))
    question = gate.question()
    assert (question.identity_kind, question.identity) == (1, "spiffe://casemate.local/client/dev")
    assert question.peer == "127.0.0.1:5"
