"""The deployment's files: no Docker is at hand here, so they are held against Compose's schema, the settings, and
the programs whose command lines they carry."""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from celery.bin.worker import worker as celery_worker
from django.conf import settings

from tryon.engines import ENGINES

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
ONCE = {"migrate", "weights"}
OURS = {name for name, service in SERVICES.items() if "build" in service}
SECRETS = {"SECRET_KEY", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "S3_ACCESS_KEY", "S3_SECRET_KEY"}
EXAMPLE = dict(
    line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if re.match(r"\w+=", line)
)
# Names that Compose itself reads.
COMPOSE_NAMES = {"COMPOSE_PROFILES"}


def names_in_settings() -> set[str]:
    text = (ROOT / "shop" / "settings.py").read_text()
    return set(re.findall(r'(?:env\.\w+|at_least)\(\s*"([A-Z0-9_]+)"', text))


def interpolated() -> dict[str, str]:
    """Every ${NAME…} of the compose file with what follows the name."""
    text = (ROOT / "docker-compose.yml").read_text()
    return dict(re.findall(r"(?<!\$)\$\{(\w+)([^}]*)\}", text))


def stages() -> dict[str, dict]:
    """The Dockerfile's stages: what each is built from, and its lines."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    found, current = {}, None
    for line in filter(None, map(str.strip, text.splitlines())):
        if match := re.match(r"FROM (\S+) AS (\w+)", line):
            current = found[match[2]] = {"parent": match[1], "lines": []}
        elif not line.startswith("#"):
            current["lines"].append(line)
    return found


def options(service: str) -> list[str]:
    """A service's command with the defaults of its variables filled in."""
    return [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", part) for part in SERVICES[service]["command"]]


def test_the_compose_file_follows_the_schema():
    schema = json.loads((ROOT / "tests" / "data" / "compose-spec.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(COMPOSE)] == []
    broken = {"services": {"web": {"image": "web", "healthchek": {}}}}
    assert not validator.is_valid(broken)


def test_the_services_are_there():
    assert set(SERVICES) == {"postgres", "redis", "s3", "web", "cpu-worker", "gpu-worker"} | ONCE


@pytest.mark.parametrize("name", sorted(set(SERVICES) - ONCE))
def test_what_runs_on_has_a_health_check_a_restart_and_time_to_stop(name):
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == "unless-stopped"
    assert re.fullmatch(r"\d+s", service["stop_grace_period"])


def test_everything_waits_for_what_it_needs():
    for name in ("web", "cpu-worker", "gpu-worker"):
        needs = SERVICES[name]["depends_on"]
        assert needs["migrate"]["condition"] == "service_completed_successfully"
        assert {needs[other]["condition"] for other in ("postgres", "redis", "s3")} == {"service_healthy"}
    for service in SERVICES.values():
        for needed, how in service.get("depends_on", {}).items():
            # a service of a profile may be switched off, so nobody may insist on it
            assert not SERVICES[needed].get("profiles") or how["required"] is False
            if how["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[needed]


def test_data_lies_in_named_volumes_and_workers_only_read_weights():
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source, target, *mode = volume.split(":")
            assert source in COMPOSE["volumes"]
            if target == "/weights":
                assert mode == ([] if name == "weights" else ["ro"])


def test_ports_are_open_on_loopback_only():
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_our_containers_run_without_privileges():
    for name in OURS:
        service = SERVICES[name]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert "user" not in service
        lines = stages()[service["build"]["target"]]["lines"]
        assert "USER fitroom" in lines
        assert not any(line.startswith("RUN") for line in lines[lines.index("USER fitroom") :])


def test_the_web_image_installs_the_web_requirements_alone():
    found = stages()
    assert {SERVICES[name]["build"]["target"] for name in ("web", "migrate")} == {"web"}
    assert {SERVICES[name]["build"]["target"] for name in ("cpu-worker", "gpu-worker")} == {"worker"}
    installs = [line for name in ("web", "base") for line in found[name]["lines"] if re.search(r"\binstall\b", line)]
    assert [re.findall(r"-r (\S+)", line) for line in installs if "pip install" in line] == [["requirements-web.txt"]]
    assert not any("apt-get install" in line for line in installs)
    assert found["web"]["parent"] == found["worker"]["parent"] == "base"
    assert (ROOT / "requirements.txt").read_text().count("-r requirements-web.txt") == 1


def test_the_worker_image_has_the_libraries_setup_asks_for():
    from devtools.setup import LIBRARIES

    lines = " ".join(stages()["worker"]["lines"]).split()
    assert set(LIBRARIES.values()) <= set(lines)


def test_nothing_private_enters_an_image():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".env", ".git", ".local", ".venv*"} <= set(ignored)


def test_every_queue_the_code_sends_to_has_a_worker():
    served = set()
    for name in ("cpu-worker", "gpu-worker"):
        parsed = celery_worker.make_context("worker", options(name)[4:], resilient_parsing=True).params
        served |= set(parsed["queues"])
    assert served == {"cpu", "gpu"}
    used = {settings.CELERY_TASK_DEFAULT_QUEUE} | {engine.queue for engine in ENGINES.values()}
    for folder in ("shop", "tryon", "recommend", "frontend"):
        for path in (ROOT / folder).rglob("*.py"):
            used |= set(re.findall(r"""queue(?:: str)? ?= ?"(\w+)\"""", path.read_text()))
    assert used <= served


def test_the_workers_options_are_ones_celery_knows():
    for name, processes in (("cpu-worker", 2), ("gpu-worker", 1)):
        command = options(name)
        assert command[:4] == ["celery", "-A", "shop", "worker"]
        parameters = {option for parameter in celery_worker.params for option in parameter.opts}
        assert {part for part in command[4:] if part.startswith("-")} <= parameters
        assert command[command.index("--concurrency") + 1] == str(processes)


def test_gunicorn_takes_the_webs_options():
    command = options("web")
    assert command[:2] == ["gunicorn", "shop.wsgi"]
    code = "import sys; from gunicorn.config import Config; Config().parser().parse_args(sys.argv[1:])"
    subprocess.run([sys.executable, "-c", code, *command[1:]], check=True, timeout=60)


def test_secrets_have_no_default_and_stop_the_start():
    names = interpolated()
    assert set(names) >= SECRETS
    for name in SECRETS:
        assert names[name].startswith(":?")
        assert EXAMPLE[name] == ""
    text = (ROOT / "docker-compose.yml").read_text()
    for name in SECRETS:
        assert len(re.findall(rf"\$\{{{name}:\?", text)) == len(re.findall(rf"\$\{{{name}\b", text))


def test_every_name_is_one_that_somebody_reads():
    known = names_in_settings()
    assert len(known) > 30
    read_by_compose = set(interpolated()) | COMPOSE_NAMES
    assert set(EXAMPLE) <= known | read_by_compose
    for name in OURS:
        assert set(SERVICES[name]["environment"]) <= known
    environment = re.findall(r"(?:^ENV| ) ?([A-Z_]+)=", " \n".join(stages()["web"]["lines"]))
    assert set(environment) & known == {"STATIC_ROOT", "STATIC_COLLECTED", "SECRET_KEY"}
    assert read_by_compose - known - SECRETS <= {"WEB_PORT", "WEB_PROCESSES", "CPU_PROCESSES", *COMPOSE_NAMES}


def test_the_deployment_page_lists_every_setting():
    page = (ROOT / "docs" / "deploy.md").read_text()
    listed = set(re.findall(r"^\| `([A-Z0-9_]+)`", page, re.MULTILINE))
    assert names_in_settings() - listed == set()
    assert listed - names_in_settings() <= set(EXAMPLE) | {"WEIGHTS_DIR", "OMP_NUM_THREADS"}


def test_redis_keeps_messages():
    command = options("redis")
    assert command[command.index("--appendonly") + 1] == "yes"
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"


def test_only_the_public_bucket_can_be_read_without_a_key():
    text = re.sub(r"\$\{(\w+)[^}]*\}", lambda name: name[1], COMPOSE["configs"]["s3_identities"]["content"])
    identities = {identity["name"]: identity for identity in json.loads(text)["identities"]}
    assert identities["anonymous"] == {"name": "anonymous", "actions": ["Read:S3_BUCKET"]}
    assert identities["fitroom"]["credentials"] == [{"accessKey": "S3_ACCESS_KEY", "secretKey": "S3_SECRET_KEY"}]
    assert EXAMPLE["S3_BUCKET"] != EXAMPLE["S3_PRIVATE_BUCKET"]


@pytest.mark.django_db(transaction=True)
def test_the_webs_health_check_gets_through_to_the_shop(live_server, settings):
    _, program, flag, code = SERVICES["web"]["healthcheck"]["test"]
    assert (program, flag) == ("python", "-c")
    settings.ALLOWED_HOSTS = ["shop.example.com", "127.0.0.1"]
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    code = code.replace("http://127.0.0.1:8000", live_server.url.replace("localhost", "127.0.0.1"))
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
    gone = code.replace("/healthz", "/no-such-page")
    assert subprocess.run([sys.executable, "-c", gone], capture_output=True, timeout=60).returncode != 0
