"""`manage.py check`, and with it `./dev doctor`, says when the shop does not use the encoder it was told to use."""

from django.core.checks import Warning, register

from recommend import encoders


@register
def encoder_is_ready(**kwargs):
    problem = encoders.problem()
    return [Warning(problem, id="recommend.W001")] if problem else []
