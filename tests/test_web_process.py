"""The web process stays light: no network library and one thread, no matter which page is asked for first."""

import json
import os
import subprocess
import sys

import pytest

from tests.workers import REPOSITORY, process_environment, redis_number

HEAVY = {"torch", "torchvision", "mediapipe", "cv2", "onnxruntime", "scipy", "open_clip", "transformers"}
ASK = """
import json, sys
from shop.wsgi import application
from django.test import Client
from django.urls import get_resolver

get_resolver().url_patterns
client = Client(headers={"host": "localhost"})
asked = {url: client.get(url).status_code for url in sys.argv[1:]}
print(json.dumps({"asked": asked, "modules": sorted({name.partition(".")[0] for name in sys.modules})}))
"""
MULTIPLY = """
from pathlib import Path
from shop.wsgi import application
import numpy as np

square = np.ones((400, 400), np.float32)
square @ square
print(len(list(Path("/proc/self/task").iterdir())))
"""
PAGES = ["/healthz", "/", "/admin/login/", "/api/v1/garments", "/api/v1/tryons", "/api/v1/photos", "/api/v1/schema"]


@pytest.mark.django_db(transaction=True)
def test_the_web_process_imports_no_networks():
    done = subprocess.run(
        [sys.executable, "-c", ASK, *PAGES],
        cwd=REPOSITORY,
        env=process_environment(redis_number(1), DJANGO_SETTINGS_MODULE="shop.settings"),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["asked"] == dict.fromkeys(PAGES, 200)
    assert "django" in said["modules"]
    assert not HEAVY & set(said["modules"])


@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted as Linux lists them")
def test_the_web_process_multiplies_on_one_thread():
    environment = process_environment(redis_number(1), DJANGO_SETTINGS_MODULE="shop.settings")
    environment.pop("OMP_NUM_THREADS", None)
    done = subprocess.run(
        [sys.executable, "-c", MULTIPLY], cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout.split()) == (0, ["1"]), done.stderr
