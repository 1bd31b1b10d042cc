"""A wrong address is told apart from every other one: servers on this machine that do what bad cameras do."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oddframe.cameras.address import Address
from oddframe.cameras.settings import CameraSettings
from oddframe.cameras.sources import diagnosis
from oddframe.cameras.sources.open import Opener
from oddframe.cameras.state import Cause
from oddframe.errors import CameraError

SOON = CameraSettings(open_timeout_s=2.0, read_timeout_s=2.0)
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 30\r\n\r\n<html><body>Login</body></html>"


@pytest.fixture
def server(monkeypatch) -> Iterator[Callable[..., int]]:
    """server(answer): a port at which each connection gets these bytes once it asks; None never sends, b"" closes."""
    monkeypatch.setattr(diagnosis, "_ANSWERED_S", 0.5)
    open_sockets: list[socket.socket] = []

    def talk(listening: socket.socket, answer: bytes | None) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            open_sockets.append(connection)
            if answer is None:
                continue
            if answer:
                connection.recv(4096)
                connection.sendall(answer)
            connection.close()

    def serve(answer: bytes | None) -> int:
        listening = socket.create_server(("127.0.0.1", 0))
        open_sockets.append(listening)
        threading.Thread(target=talk, args=(listening, answer), daemon=True).start()
        return int(listening.getsockname()[1])

    yield serve
    for one in open_sockets:
        one.close()


def refused(url: str) -> CameraError:
    with pytest.raises(CameraError) as caught:
        Opener(Address.parse(url), SOON).open()
    assert "p%40ss" not in str(caught.value)
    assert "p@ss" not in str(caught.value)
    return caught.value


RTSP_401 = b'RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Basic realm="x"\r\n\r\n'


@pytest.mark.parametrize(
    ("scheme", "answer", "cause"),
    [
        ("rtsp", None, Cause.SILENT),
        ("http", None, Cause.SILENT),
        ("rtsp", b"", Cause.SILENT),
        ("rtsp", PAGE, Cause.WRONG_SERVICE),
        ("rtsp", b"SSH-2.0-OpenSSH_9.2\r\n", Cause.WRONG_SERVICE),
        ("rtsp", RTSP_401, Cause.LOGIN),
        ("rtsp", b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n", Cause.NOT_FOUND),
        ("http", PAGE, Cause.HTML),
        ("http", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", Cause.NOT_FOUND),
        ("http", b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n', Cause.LOGIN),
        ("http", b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", Cause.LOGIN),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nnone", Cause.NO_VIDEO),
        ("http", b"HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n#EXTM3U\nfile:///a", Cause.NO_VIDEO),
    ],
)
@pytest.mark.slow
def test_servers_that_are_no_camera_are_told_apart(server, scheme, answer, cause):
    error = refused(f"{scheme}://user:p%40ss@127.0.0.1:{server(answer)}/live")

    assert Cause(error.cause) is cause, error


@pytest.mark.slow
def test_a_certificate_that_nobody_vouches_for_is_refused_where_that_is_wanted(tmp_path, make_video):
    x509 = pytest.importorskip("cryptography.x509", reason="no certificate can be made without cryptography")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(
        key, hashes.SHA256()
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "both.pem").write_bytes(plain + made.public_bytes(pem))
    make_video(tmp_path / "gate.mp4")
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *given: QuietFiles(*given, directory=str(tmp_path)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = Address.parse(f"https://127.0.0.1:{server.server_port}/gate.mp4")
    try:
        with Opener(address, CameraSettings()).open() as source:
            assert not source.live
            assert next(source.packets()).key
        with pytest.raises(CameraError) as caught:
            Opener(address, CameraSettings(verify_certificate=True)).open()
        assert caught.value.cause == Cause.CERTIFICATE
    finally:
        server.shutdown()
        server.server_close()


class QuietFiles(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_closed_port_and_an_unknown_host(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert refused(f"rtsp://u:p%40ss@127.0.0.1:{port}/x").cause == Cause.REFUSED

    assert refused("rtsp://u:p%40ss@no-such-host.invalid/x").cause == Cause.UNKNOWN_HOST
    monkeypatch.setattr(diagnosis, "_LOOKED_UP_S", 0.05)
    monkeypatch.setattr(diagnosis.socket, "getaddrinfo", lambda *_, **__: time.sleep(1))
    assert refused("rtsp://slow.invalid/x").cause == Cause.UNKNOWN_HOST


def test_files_that_are_no_video(tmp_path, make_video):
    (tmp_path / "page.mp4").write_bytes(PAGE)
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n")
    (tmp_path / "empty.mp4").write_bytes(b"")

    for name in ("page.mp4", "list.m3u8", "empty.mp4"):
        assert refused(str(tmp_path / name)).cause == Cause.NO_VIDEO, name
    assert refused(f"file:{tmp_path / 'gone.mp4'}").cause == Cause.NOT_FOUND
    assert refused("255").cause == Cause.NOT_FOUND


def test_a_file_of_sound_alone_is_told(tmp_path):
    import av
    import numpy as np

    with av.open(str(tmp_path / "sound.mp4"), "w") as file:
        stream = file.add_stream("aac", rate=8000)
        for number in range(20):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 8000, number * 1024
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))

    error = refused(str(tmp_path / "sound.mp4"))
    assert error.cause == Cause.NO_VIDEO
    assert "audio" in str(error)
