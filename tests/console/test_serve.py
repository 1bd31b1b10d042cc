"""`oddframe serve` opens the console, prints the first password once, and a lost one is given anew."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.console.conftest import PASSWORD
from typer.testing import CliRunner

from oddframe.cli.main import app
from oddframe.site.store import Store


@contextmanager
def serving(*words: str) -> Iterator[dict[str, object]]:
    """`oddframe serve WORDS`; gives what it says of its console."""
    command = [sys.executable, "-m", "oddframe", "serve", *words, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            said = []
            for line in process.stdout:
                said.append(json.loads(line))
                if said[-1]["kind"] == "console":
                    break
            else:
                pytest.fail(f"{said} {process.stderr.read()}")
            yield said[-1]
        finally:
            process.send_signal(signal.SIGTERM)
            rest = process.stdout.read()
            assert process.wait(120) == 0, rest + process.stderr.read()
    assert json.loads(rest.splitlines()[-1])["kind"] == "ended"


@pytest.mark.slow
def test_a_site_needs_no_file_and_its_first_password_is_printed_once(tmp_path):
    home = tmp_path / "home"
    with serving("--home", str(home)) as told, httpx.Client(base_url=str(told["url"]), timeout=60) as client:
        assert client.get("/healthz").json() == {"status": "alive"}
        assert client.get("/api/v1/cameras").status_code == 401
        me = client.post("/api/v1/session", json={"name": "admin", "password": told["password"]}).json()
        client.headers["X-CSRF-Token"] = me["csrf"]
        assert me["one_time"]
        changed = client.put("/api/v1/session/password", json={"old": told["password"], "new": PASSWORD})
        assert changed.status_code == 204
        assert client.get("/api/v1/cameras").json() == []
        assert client.get("/api/v1/system").json()["site"] == "oddframe"
        cookies = dict(client.cookies)
    with serving("--home", str(home)) as told, httpx.Client(base_url=str(told["url"]), timeout=60) as client:
        assert told["password"] is None
        assert client.get("/api/v1/session", cookies=cookies).status_code == 200  # a session outlives the process


def test_a_lost_password_is_given_anew(tmp_path):
    home = tmp_path / "home"
    Store.open(home).close()

    first = json.loads(CliRunner().invoke(app, ["site", "password", str(home), "--json"]).stdout)
    told = CliRunner().invoke(app, ["site", "password", str(home)])
    unknown = CliRunner().invoke(app, ["site", "password", str(home), "--user", "admn"])

    assert first["user"] == "admin"
    assert len(first["password"]) == 23
    assert "'admin' can log in once with" in told.stdout
    assert first["password"] not in told.stdout
    assert (unknown.exit_code, "did you mean admin?" in unknown.stderr) == (1, True)


def test_a_file_and_a_folder_contradict_each_other(tmp_path):
    (tmp_path / "site.yaml").write_text("folder: site\n")

    ran = CliRunner().invoke(app, ["serve", str(tmp_path / "site.yaml"), "--home", str(tmp_path)])

    assert ran.exit_code == 1
    assert "names its folder itself" in ran.stderr


def test_an_address_on_which_others_could_listen_starts_nothing(tmp_path):
    ran = CliRunner().invoke(app, ["serve", "--home", str(tmp_path / "home"), "--host", "0.0.0.0"])

    assert ran.exit_code == 1
    assert "others could read passwords" in ran.stderr
    assert not (tmp_path / "home").exists()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """Of 127.0.0.1, for a day, and its key."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "oddframe")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert, secret


def test_it_speaks_tls_and_its_cookie_goes_over_tls_alone(site, certificate):
    from oddframe.console.server import Console
    from oddframe.console.settings import ConsoleSettings

    cert, key = certificate
    settings = ConsoleSettings.of(port=0, tls_cert=cert, tls_key=key)
    with Console(site, settings) as console:
        password = console.access.first_password()
        with httpx.Client(verify=ssl.create_default_context(cafile=str(cert)), timeout=60) as client:
            answer = client.post(f"{console.settings.url}/api/v1/session", json={"name": "admin", "password": password})

        assert console.settings.url.startswith("https://127.0.0.1:")
        assert answer.headers["set-cookie"].startswith("__Host-oddframe=")
        assert "Secure" in answer.headers["set-cookie"].split("; ")
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        with pytest.raises(httpx.TransportError):
            httpx.get(console.settings.url.replace("https", "http"), timeout=60)


def test_behind_a_proxy_it_is_the_address_that_the_proxy_has_added_that_counts(site):
    from oddframe.console.server import Console
    from oddframe.console.settings import ConsoleSettings

    with Console(site, ConsoleSettings.of(port=0, behind_proxy=True)) as console:
        password = console.access.first_password()
        httpx.post(
            f"{console.settings.url}/api/v1/session",
            json={"name": "admin", "password": password},
            headers={
                "X-Forwarded-For": "198.51.100.1, 203.0.113.7",
                "X-Forwarded-Proto": "https",
                "Host": "console.example",
            },
            timeout=60,
        )

    assert site.store.sessions.of("admin")[0].address == "203.0.113.7"


def test_without_a_proxy_nobody_says_from_where_he_comes(console, site):
    password = console.access.first_password()
    httpx.post(
        f"{console.settings.url}/api/v1/session",
        json={"name": "admin", "password": password},
        headers={"X-Forwarded-For": "203.0.113.7"},
        timeout=60,
    )

    assert site.store.sessions.of("admin")[0].address == "127.0.0.1"


def test_what_is_not_installed_is_said_with_how_to_get_it(monkeypatch, site):
    from oddframe.console.open import open_console
    from oddframe.console.settings import ConsoleSettings
    from oddframe.errors import MissingExtraError

    for name in [one for one in sys.modules if one.partition(".")[0] == "uvicorn" or one == "oddframe.console.server"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    with pytest.raises(MissingExtraError, match=r"oddframe\[console\]"):
        open_console(site, ConsoleSettings(port=0))
