"""The merchant's view of the jobs."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from shop.models import Photo
from tests.pictures import astronaut, encoded
from tryon.lease import Lease
from tryon.models import EngineState, TryOn

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fakes")]

LIST = "/admin/tryon/tryon/"


@pytest.fixture
def rows(shopper, photo, garment):
    """One that succeeded, and one that failed."""
    good, bad = TryOn.objects.submit(shopper, photo, garment, engines=["quick", "fine"])
    Lease.claim(good.pk).succeed(encoded(astronaut()).read(), (512, 512), {"hidden": 0.1})
    Lease.claim(bad.pk).fail("engine.timeout", "This took too long.", "Traceback: line 7")
    return good, bad


def page(row):
    return reverse("admin:tryon_tryon_change", args=[row.pk])


def test_the_list_shows_pictures_times_and_errors(admin_client, rows):
    good, bad = rows
    answer = admin_client.get(LIST).content.decode()
    thumbnail = reverse("admin:tryon_picture", args=[good.pk, "small"])
    assert thumbnail in answer
    assert "engine.timeout" in answer and 'title="This took too long."' in answer
    small, full = admin_client.get(thumbnail), admin_client.get(thumbnail.replace("small", "full"))
    assert small["Content-Type"] == full["Content-Type"] == "image/jpeg"
    assert len(small.content) < len(full.content)
    assert admin_client.get(reverse("admin:tryon_picture", args=[bad.pk, "small"])).status_code == 404
    filtered = admin_client.get(LIST, {"status__exact": "failed"}).content.decode()
    assert "engine.timeout" in filtered and thumbnail not in filtered
    assert str(bad.pk) in admin_client.get(LIST, {"q": "TEE-1"}).content.decode()


def test_an_error_can_be_read_and_run_again(admin_client, rows, django_capture_on_commit_callbacks):
    good, bad = rows
    Photo.objects.update(difficulty="hard")
    answer = admin_client.get(page(bad)).content.decode()
    assert "hard" in answer
    assert "Traceback: line 7" in answer and "This took too long." in answer
    again = reverse("admin:tryon_again", args=[bad.pk])
    assert again in answer
    assert admin_client.get(again).status_code == 405
    moved = admin_client.post(again)
    new = TryOn.objects.get(retry_of=bad)
    assert moved["Location"] == page(new)
    assert again not in admin_client.get(page(good)).content.decode()


def test_the_action_runs_again_what_can_be_and_says_what_not(admin_client, rows):
    chosen = [str(row.pk) for row in rows]
    answer = admin_client.post(LIST, {"action": "run_again", "_selected_action": chosen}, follow=True).content.decode()
    assert TryOn.objects.get(retry_of=rows[1]).status == "queued"
    assert "Only a try-on that failed or was canceled can be done again." in answer


def test_pictures_are_for_those_who_may_see_them(client, rows, django_user_model):
    staff = django_user_model.objects.create_user("staff", password="a-long-password", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_tryon"))
    client.force_login(staff)
    picture = reverse("admin:tryon_picture", args=[rows[0].pk, "small"])
    assert picture not in client.get(LIST).content.decode()
    assert client.get(picture).status_code == 403
    assert client.post(reverse("admin:tryon_again", args=[rows[1].pk])).status_code == 403
    staff.user_permissions.add(Permission.objects.get(codename="see_pictures"))
    assert client.get(picture).status_code == 200


def test_jobs_are_not_written_by_hand(admin_client, rows):
    assert admin_client.get(f"{LIST}add/").status_code == 403
    admin_client.post(page(rows[1]), {"status": "succeeded", "attempts": 9})
    rows[1].refresh_from_db()
    assert (rows[1].status, rows[1].attempts) == ("failed", 1)


def test_a_jobs_times_seed_worker_and_licence_can_be_read(admin_client, submit, settings):
    settings.ALLOW_NONCOMMERCIAL_ENGINES = True
    row = submit("research")
    lease = Lease.claim(row.pk, "celery@gpu-1")
    lease.enter("generating", {"frame": 2.5})
    lease.enter("saving", {"generator": 1.25})
    lease.succeed(encoded(astronaut()).read(), (512, 512), {})
    answer = admin_client.get(page(row)).content.decode()
    for part in ("preparing.frame 2.5", "generating.generator 1.25", str(row.seed), "celery@gpu-1"):
        assert part in answer
    assert answer.index("preparing.frame") < answer.index("generating.generator") < answer.index("<div>saving")
    assert "CC-BY-NC-4.0: no commercial use" in answer


def engines_page(admin_client) -> str:
    return admin_client.get("/admin/tryon/enginestate/").content.decode()


def line_of(engine: str, answer: str) -> str:
    return re.search(rf'<th scope="row">{engine} .*?</tr>', answer, re.DOTALL)[0]


def test_engines_can_be_looked_at(admin_client):
    EngineState.objects.report("quick", "celery@here", "failed", detail="no file")
    EngineState.objects.report("fine", "celery@here", "busy")
    answer = engines_page(admin_client)
    assert "celery@here" in answer and "no file" in answer and 'field-now">busy<' in answer
    assert "off: no worker has it ready" in line_of("quick", answer)
    EngineState.objects.filter(engine="fine").update(seen_at=timezone.now() - timedelta(minutes=5))
    answer = engines_page(admin_client)
    assert 'field-now">silent<' in answer and 'field-now">busy<' not in answer


def test_every_engines_licence_is_shown_and_what_the_setting_makes_of_it(admin_client, settings):
    answer = engines_page(admin_client)
    for part in ("CC-BY-NC-4.0", "forbidden", "off: licence"):
        assert part in line_of("research", answer)
    for part in ("Apache-2.0", "allowed", "<td>on</td>"):
        assert part in line_of("fine", answer)
    assert "set ALLOW_NONCOMMERCIAL_ENGINES=true" in answer
    settings.ALLOW_NONCOMMERCIAL_ENGINES = True
    answer = engines_page(admin_client)
    assert "<td>on</td>" in line_of("research", answer)
    assert "ALLOW_NONCOMMERCIAL_ENGINES is set" in answer
