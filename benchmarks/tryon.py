"""How long a shopper waits, and what memory the shop takes: measured through the running shop.

    ./dev bench tryon                                    # a drawn tee on skimage's astronaut
    ./dev bench tryon --photo ME.jpg --garment TEE.jpg --times 20

Servers of its own are started and thrown away; your shop is not touched. Cold: nothing is compiled yet and the
embedded servers have just started; warm: the same once more. What a page cache holds is not cleared.
"""

import argparse
import contextlib
import io
import json
import os
import statistics
import time
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil

from devtools import processes, up
from devtools.layout import State
from devtools.servers import services
from devtools.testing import throwaway_state
from tests import pictures

SKU = "BENCH-1"
POLL_SECONDS = 0.02


class Shop:
    """The API of a running shop, as a program uses it."""

    def __init__(self, port: int, key: str):
        self.address = f"http://127.0.0.1:{port}/api/v1/"
        self.key = key
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, path: str, body: bytes | None = None, **headers: str) -> dict:
        headers |= {"Authorization": f"Bearer {self.key}"}
        address = path if path.startswith("http") else self.address + path
        with self.opener.open(urllib.request.Request(address, body, headers), timeout=60) as answer:
            return json.load(answer)

    def upload(self, photo: bytes) -> str:
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="p.jpg"\r\n\r\n'.encode()
        body = head + photo + f"\r\n--{edge}--\r\n".encode()
        return self.call("photos", body, **{"Content-Type": f"multipart/form-data; boundary={edge}"})["id"]

    def wait_checked(self, photo: str) -> None:
        while self.call(f"photos/{photo}")["state"] == "pending":
            time.sleep(POLL_SECONDS)

    def delete(self, photo: str) -> None:
        headers = {"Authorization": f"Bearer {self.key}"}
        request = urllib.request.Request(f"{self.address}photos/{photo}", headers=headers, method="DELETE")
        self.opener.open(request, timeout=60).close()

    def try_on(self, photo: str) -> tuple[float, dict]:
        """Seconds from the click until the picture is in the browser's hands, and the row."""
        start = time.perf_counter()
        body = json.dumps({"photo": photo, "garment": SKU, "engines": ["preview"]}).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
        asked = self.call("tryons", body, **headers)
        while not asked["done"]:
            time.sleep(POLL_SECONDS)
            asked = self.call(f"tryons/{asked['id']}")
        (row,) = asked["rows"]
        if row["status"] != "succeeded":
            raise SystemExit(f"The try-on {row['status']}: {row['error']}")
        self.opener.open(row["result_url"], timeout=60).read()
        return time.perf_counter() - start, row


def tree(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def megabytes(pid: int) -> dict[str, float]:
    """Of a process and its children: the sum of each one's peak, and what they hold now with shares counted once."""
    peak = share = 0
    for process in tree(pid):
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak += int(status.partition("VmHWM:")[2].split()[0])
        share += process.memory_full_info().pss
    return {"peak": peak / 1024, "now": share / 2**20}


def start(state: State, env: dict[str, str], port: int) -> dict[str, float]:
    """Start web and worker one after the other; seconds until each answers, and until the engine is loaded."""
    from tryon.models import EngineState

    EngineState.objects.all().delete()
    seconds = {}
    begin = time.perf_counter()
    web = up.start_web(state, env, port)
    processes.wait_until(state, web, lambda: up.healthy(port), 120)
    seconds["web"] = time.perf_counter() - begin
    begin = time.perf_counter()
    worker = up.start_worker(state, env)
    log = processes.log_path(state, "worker")
    processes.wait_until(state, worker, lambda: " ready." in log.read_text(errors="replace"), 300)
    seconds["worker"] = time.perf_counter() - begin
    ready = EngineState.objects.filter(engine="preview", state="ready")
    processes.wait_until(state, worker, ready.exists, 300)
    seconds["engine"] = time.perf_counter() - begin
    return seconds


def stock(photo: bytes, garment: bytes) -> str:
    """A garment, and a key that may try it on."""
    import django

    django.setup()
    from django.contrib.auth import get_user_model

    from shop.images import clean_image
    from shop.models import ApiKey, Garment, GarmentPicture

    made = Garment.objects.create(
        sku=SKU, title="Tee", category="upper", product_type="t-shirt", price=20, published=True
    )
    GarmentPicture.objects.store(made, clean_image(io.BytesIO(garment)), role="flat")
    return ApiKey.issue(get_user_model().objects.create_user("bench"), "bench", ["tryon"])[1]


@contextlib.contextmanager
def own_servers() -> Iterator[tuple[State, dict[str, str]]]:
    for name in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "MEDIA_ROOT", "PRIVATE_ROOT"):
        os.environ.pop(name, None)
    with throwaway_state() as state, services(state) as env:
        env |= {"OMP_NUM_THREADS": "1", "DJANGO_SETTINGS_MODULE": "shop.settings"}
        os.environ.update(env)
        try:
            yield state, env
        finally:
            for name in ("web", "worker"):
                processes.stop(state, name)


def measure(photo: bytes, garment: bytes, times: int) -> dict:
    with own_servers() as (state, env):
        up.manage(env, "migrate", "--no-input", "--verbosity=0")
        shop = Shop(processes.free_port(), stock(photo, garment))
        port = int(shop.address.split(":")[2].partition("/")[0])
        env |= {"PYTHONPYCACHEPREFIX": str(state.root / "compiled")}  # empty at first
        figures = {"cold": start(state, env, port)}
        chosen = shop.upload(photo)
        figures["first click"], _row = shop.try_on(chosen)
        for name in ("web", "worker"):
            processes.stop(state, name)
        figures["warm"] = start(state, env, port)

        clicks = [shop.try_on(chosen) for _ in range(times)]
        fresh = []
        for _ in range(times):
            begin = time.perf_counter()
            another = shop.upload(photo)
            shop.wait_checked(another)
            checked = time.perf_counter() - begin
            shop.delete(another)
            begin = time.perf_counter()
            another = shop.upload(photo)
            shop.try_on(another)
            fresh.append((checked, time.perf_counter() - begin))
            shop.delete(another)
        figures["click to picture"] = summary([seconds for seconds, _row in clicks])
        figures["stages"] = {
            stage: statistics.median(row["timings"][stage] for _seconds, row in clicks)
            for stage in clicks[0][1]["timings"]
        }
        figures["upload to checked"] = summary([checked for checked, _both in fresh])
        figures["upload and click to picture"] = summary([both for _checked, both in fresh])
        figures["memory"] = {name: megabytes(processes.running(state, name).pid) for name in ("web", "worker")}
        return figures


def summary(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return {"p50": statistics.median(ordered), "p95": p95, "max": ordered[-1]}


def show(figures: dict) -> None:
    for kind in ("cold", "warm"):
        values = " | ".join(f"{name} {seconds:.1f}" for name, seconds in figures[kind].items())
        print(f"| {kind} start, s | {values} |")
    print(f"| first click after a cold start, photo and garment not looked at yet, s | {figures['first click']:.2f} |")
    for name in ("click to picture", "upload to checked", "upload and click to picture"):
        values = " | ".join(f"{key} {value:.2f}" for key, value in figures[name].items())
        print(f"| {name}, s | {values} |")
    stages = " | ".join(f"{stage} {seconds:.2f}" for stage, seconds in figures["stages"].items())
    print(f"| stages of a job, median s | {stages} |")
    for name, values in figures["memory"].items():
        print(f"| memory of {name}, MB | peaks {values['peak']:.0f} | now, shares once {values['now']:.0f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path)
    parser.add_argument("--garment", type=Path)
    parser.add_argument("--times", type=int, default=10, help="clicks")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    photo = options.photo.read_bytes() if options.photo else pictures.encoded(pictures.astronaut()).read()
    garment = options.garment.read_bytes() if options.garment else pictures.encoded(pictures.tee()).read()
    figures = measure(photo, garment, options.times)
    show(figures)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
