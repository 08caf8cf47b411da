"""The one exception for input that cannot be used, from the header of an upload to the last post-check."""


def gettext_noop(sentence: str) -> str:
    """Mark a sentence for translation; Django's makemessages finds the name, and this package needs no Django."""
    return sentence


class Refusal(Exception):
    """Raised where the cause is known; caught once, in the view or in the task.

    Args:
        code: stable and machine-readable, `subject.reason`, e.g. "photo.no_person".
        sentence: English, for the shopper or merchant, says what to do next; marked with `gettext_noop`
            and translated where it is shown.
        detail: for logs and the admin only (numbers, file names); never shown to a shopper.
    """

    def __init__(self, code: str, sentence: str, detail: str = ""):
        super().__init__(f"{code}: {detail or sentence}")
        self.code = code
        self.sentence = sentence
        self.detail = detail
