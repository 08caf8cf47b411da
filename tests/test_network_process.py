"""A network in a process of its own, which may hang, crash, be killed or want too much; nothing is lost by it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest

from preprocessing import networks
from preprocessing.labels import Parse
from preprocessing.networks import NetworkFailed
from preprocessing.networks.own_process import Process
from preprocessing.weights import REPOSITORY
from tests import tiny_networks as tiny
from tests.tiny_networks import PURE, flags
from tests.workers import wait_for


@contextlib.contextmanager
def running(network: networks.Network):
    process = Process(network)
    yield process
    process.end()


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE  # nobody is left to bury it
    except psutil.NoSuchProcess:
        return True


# --- The process ---------------------------------------------------------------------------------


def test_one_process_answers_many_times_and_ends_with_its_owner(tmp_path):
    with running(tiny.parser(tmp_path / "p.onnx")) as process:
        first = process.look(flags())
        pid = process.pid
        assert pid != os.getpid()
        assert np.array_equal(process.look(flags()), first)
        assert process.pid == pid
    assert gone(pid)


def test_threads_may_ask_at_once(tmp_path):
    answers = {}
    with running(tiny.parser(tmp_path / "p.onnx")) as process:

        def ask(colour, label):
            image = np.full((50, 40, 3), PURE[colour], np.uint8)
            answers[colour] = (process.look(image) == label).all()

        threads = [threading.Thread(target=ask, args=pair) for pair in tiny.COLOURS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == {colour: True for colour, _ in tiny.COLOURS}


def test_a_network_that_hangs_is_ended_and_may_be_asked_again(tmp_path):
    with running(tiny.hanging(tmp_path / "h.onnx", seconds=1)) as process:
        with pytest.raises(NetworkFailed, match="h has not answered within 1 s"):
            process.look(flags())
        assert process.pid is None
        with pytest.raises(NetworkFailed, match="not answered"):
            process.look(flags())


def test_a_network_that_wants_too_much_memory_is_an_error_and_not_the_end(tmp_path):
    with running(tiny.hungry(tmp_path / "g.onnx", megabytes=1000)) as process, pytest.raises(NetworkFailed) as raised:
        process.look(flags())
    assert str(raised.value) == "g needs more memory than the 1000 MB its process may use"


def test_a_process_that_is_killed_at_work_is_an_error_and_starts_anew(tmp_path):
    network = tiny.hanging(tmp_path / "h.onnx", seconds=60)
    failures = []
    with running(network) as process:

        def ask():
            try:
                process.look(flags())
            except NetworkFailed as failed:
                failures.append(str(failed))

        thread = threading.Thread(target=ask)
        thread.start()
        pid = wait_for(lambda: process.pid, what="the network's process")
        os.kill(pid, signal.SIGKILL)
        thread.join(20)
        assert failures == ["h was killed; the machine may be out of memory"]


def test_a_frozen_process_holds_nobody_up(tmp_path):
    large = np.zeros((1500, 1500, 3), np.uint8)  # more than a socket holds
    with running(tiny.parser(tmp_path / "p.onnx", seconds=6)) as process:
        process.look(flags())
        os.kill(process.pid, signal.SIGSTOP)
        with pytest.raises(NetworkFailed, match="p has not answered within 6 s"):
            process.look(large)
        assert process.pid is None
        assert not process.look(large).any()


def test_a_process_that_ended_since_starts_anew(tmp_path):
    with running(tiny.parser(tmp_path / "p.onnx")) as process:
        process.look(flags())
        os.kill(process.pid, signal.SIGKILL)
        wait_for(lambda: process.pid is None, what="its end")
        assert process.look(flags()).any()


def test_an_idle_process_ends_by_itself(tmp_path):
    process = Process(tiny.parser(tmp_path / "p.onnx"), idle_seconds=0.2)
    process.look(flags())
    wait_for(lambda: process.pid is None, what="the end of an idle process")
    assert process.look(flags()).any()
    process.end()


ASK_AND_DIE = """
import os, signal, sys, threading, time
from pathlib import Path
import numpy as np
from preprocessing.networks.own_process import Process
from preprocessing.networks.session import Session
from tests import tiny_networks as tiny

process = Process(tiny.hanging(Path(sys.argv[1]), seconds=60))
threading.Thread(target=process.look, args=(np.zeros((32, 24, 3), np.uint8),), daemon=True).start()
while process.pid is None:
    time.sleep(0.01)
time.sleep(float(sys.argv[2]))
print(process.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_network_at_work_ends_when_its_owner_is_killed(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ASK_AND_DIE, str(tmp_path / "h.onnx"), "1"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=60,
    )
    pid = int(done.stdout)
    wait_for(lambda: gone(pid), what="the end of the child")


def test_a_time_limit_on_the_asker_leaves_no_late_answer(tmp_path):
    class TooLate(Exception):
        pass

    def stop(*_):
        raise TooLate

    before = signal.signal(signal.SIGALRM, stop)
    try:
        with running(tiny.hanging(tmp_path / "h.onnx")) as process:
            signal.setitimer(signal.ITIMER_REAL, 1)
            started = time.monotonic()
            with pytest.raises(TooLate):
                process.look(flags())
            assert process.pid is None
            assert time.monotonic() - started < 20
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_fork_starts_a_process_of_its_own(tmp_path, monkeypatch):
    network = tiny.parser(tmp_path / "p.onnx")
    monkeypatch.setattr(networks, "choices", lambda: {"parse": network})
    assert networks.look("parse", flags()) is not None
    mine = networks.process(network)
    child = os.fork()
    if child == 0:
        code = 1
        with contextlib.suppress(BaseException):
            theirs = networks.process(network)
            code = int(not (theirs is not mine and theirs.look(flags()).any()))
            theirs.end()
        os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    pid = mine.pid
    assert mine.look(flags()).any()
    assert mine.pid == pid
    mine.end()


# --- What callers ask -------------------------------------------------------------------------------------


def test_without_a_choice_there_is_no_answer(monkeypatch):
    monkeypatch.delenv("NETWORKS", raising=False)
    monkeypatch.delenv("NETWORKS_FILE", raising=False)
    assert networks.look("parse", flags()) is None


def test_a_chosen_network_answers_and_a_failing_one_is_logged(tmp_path, monkeypatch, caplog):
    good, bad = tiny.parser(tmp_path / "p.onnx"), tiny.masker(tmp_path / "m.onnx")
    bad.file.unlink()
    monkeypatch.setattr(networks, "choices", lambda: {"parse": good, "cloth_mask": bad})
    assert (networks.look("parse", flags())[0] == Parse.UPPER).all()
    assert networks.look("cloth_mask", flags()) is None
    assert caplog.messages == [f"the cloth_mask is made without a network: m: m.onnx is not in {tmp_path}"]
    for network in (good, bad):
        networks.process(network).end()
