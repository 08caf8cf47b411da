"""The Korean catalogue is whole, current and compiled."""

import ast
import gettext
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils.translation import gettext as translated
from django.utils.translation import override

from shop.images import HEIC

REPOSITORY = Path(__file__).resolve().parent.parent
CATALOGUE = REPOSITORY / "locale" / "ko" / "LC_MESSAGES" / "django.po"
ENTRY = re.compile(
    r"^(?P<fuzzy>#,.*fuzzy.*\n)?(?:#.*\n)*(?:msgctxt (?P<context>(?:\".*\"\n)+))?msgid (?P<id>(?:\".*\"\n)+)"
    r"(?:msgid_plural (?P<plural>(?:\".*\"\n)+))?msgstr(?:\[0\])? (?P<text>(?:\".*\"\n?)+)",
    re.MULTILINE,
)
FIELD = re.compile(r"%\(\w+\)s|%[sd]|%\.1f")
# The same in both languages.
UNCHANGED = {"SKU"}
needs_gettext = pytest.mark.skipif(not shutil.which("xgettext"), reason="gettext's tools are not installed")


def unquoted(lines: str) -> str:
    return "".join(ast.literal_eval(line) for line in lines.strip().splitlines())


def entries(path: Path) -> dict[tuple[str, str], str]:
    """Context and English to Korean; the header left out."""
    found = {}
    for match in ENTRY.finditer(path.read_text()):
        assert not match["fuzzy"], match["id"]
        found[unquoted(match["context"] or ""), unquoted(match["id"])] = unquoted(match["text"])
    found.pop(("", ""), None)
    return found


def test_every_sentence_is_translated():
    missing = [english for (_, english), korean in entries(CATALOGUE).items() if not korean]
    assert not missing


def test_translations_are_korean_and_keep_their_fields():
    for (_, english), korean in entries(CATALOGUE).items():
        assert english in UNCHANGED or re.search("[가-힣]", korean), english
        # A plural's singular may say "last one" where the Korean says how many.
        assert set(FIELD.findall(english)) <= set(FIELD.findall(korean)), english


def test_compiled_catalogue_is_current():
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for (context, english), korean in entries(CATALOGUE).items():
        key = f"{context}\x04{english}" if context else english
        assert compiled._catalog.get(key, compiled._catalog.get((key, 0))) == korean, english


@needs_gettext
def test_no_sentence_is_missing_from_the_catalogue(tmp_path, settings, monkeypatch):
    """Extracts anew, elsewhere; run ./dev manage makemessages -l ko where this fails."""
    for folder in ("frontend", "preprocessing", "recommend", "shop", "tryon"):
        source = REPOSITORY / folder
        shutil.copytree(source, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__", "static"))
    (tmp_path / "locale").mkdir()
    settings.LOCALE_PATHS = [str(tmp_path / "locale")]
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", locale=["ko"], verbosity=0)
    extracted = entries(tmp_path / "locale" / "ko" / "LC_MESSAGES" / "django.po")
    assert ("", "Try it on") in extracted
    assert set(extracted) - set(entries(CATALOGUE)) == set()


def test_refusals_are_shown_in_korean():
    with override("ko"):
        assert translated(HEIC).startswith("HEIC 사진은")


@needs_gettext
def test_catalogue_is_well_formed(tmp_path):
    done = subprocess.run(
        ["msgfmt", "--check-format", "-o", tmp_path / "django.mo", CATALOGUE], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
