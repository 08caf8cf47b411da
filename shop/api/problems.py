"""Every error of the API as `application/problem+json` (RFC 9457), with a stable `code`."""

import logging

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, JsonResponse
from django.utils.translation import gettext
from django.views import defaults
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from preprocessing.errors import Refusal

log = logging.getLogger(__name__)


def problem(code: str, sentence: str, http_status: int, *, headers: dict | None = None, **more) -> Response:
    body = {"type": "about:blank", "status": http_status, "code": code, "detail": sentence, **more}
    return Response(body, status=http_status, content_type="application/problem+json", headers=headers)


def outside(request, code: str, sentence: str, http_status: int) -> JsonResponse | None:
    """The same where no view of the API is at work; None for whom a page is meant."""
    if not request.path_info.startswith("/api/"):
        return None
    body = {"type": "about:blank", "status": http_status, "code": code, "detail": sentence}
    return JsonResponse(body, status=http_status, content_type="application/problem+json")


def server_error(request):
    """A fault of ours, in the form the caller reads."""
    sentence = gettext("Something went wrong with us. Please try again in a minute.")
    return outside(request, "service.failed", sentence, 500) or defaults.server_error(request)


def handle(error, context):
    if isinstance(error, RecursionError):  # brackets in brackets, without end
        error = exceptions.ParseError()
    if isinstance(error, RequestDataTooBig):
        return problem("request.too_large", gettext("The request is too large."), 413)
    if isinstance(error, Refusal):
        return problem(error.code, gettext(error.sentence), status.HTTP_422_UNPROCESSABLE_ENTITY)
    if isinstance(error, OperationalError | InterfaceError):
        log.error("the database did not answer", exc_info=error)
        sentence = gettext("The shop cannot answer at the moment. Please try again in a few seconds.")
        return problem("service.unavailable", sentence, 503, headers={"Retry-After": "5"})
    if isinstance(error, IntegrityError):  # what the checks allowed: somebody was quicker
        log.warning("two wrote the same", exc_info=error)
        return problem("request.conflict", gettext("The same was saved by another request. Look at it anew."), 409)
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        made = problem("request.invalid", gettext("Some fields are not right."), 400, errors=response.data)
    elif isinstance(error, Http404 | exceptions.NotFound):
        made = problem("request.not_found", gettext("There is nothing here."), 404)
    elif isinstance(error, PermissionDenied):
        made = problem("request.permission_denied", gettext("This is not allowed."), 403)
    else:
        code = error.get_codes() if isinstance(error.get_codes(), str) else "invalid"
        made = problem(f"request.{code}", str(error.detail), response.status_code)
    for name in ("WWW-Authenticate", "Retry-After"):
        if name in response:
            made[name] = response[name]
    return made
