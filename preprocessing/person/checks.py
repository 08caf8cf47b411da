"""What a photo must be like, and what would make a better picture. Light: the networks are not imported here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.labels import ARMS, Joint, Parse
from preprocessing.person.body import BodyFrame
from preprocessing.person.difficulty import RAISED_HARD, TURNED_HARD, turn

if TYPE_CHECKING:
    from preprocessing.person.pose import Pose
    from preprocessing.person.prepare import PreparedPerson

SMALLEST_SIDE = 256
SURE = 0.5
# Degrees from the camera at which half the chest is out of sight.
TURNED_TOO_FAR = 55.0
# Second derivative, in grey levels of a well lit photo, that a hundredth of a sharp person's pixels exceed.
SHARP = 9.0
# Flags of a PreparedPerson: hips that were made from the shoulders, an outline two networks do not quite agree on.
HIPS_SYNTHESISED = "hips_synthesised"
UNCLEAR_OUTLINE = "unclear_outline"
NO_PERSON = gettext_noop("We cannot find a person in this photo. Please choose one that shows you from head to hips.")


@dataclass(frozen=True)
class Finding:
    """Something to tell the shopper about a photo: "warn" may be rough, "refuse" cannot be used."""

    code: str
    severity: Literal["warn", "refuse"]
    sentence: str


def check_size(image: np.ndarray) -> None:
    if min(image.shape[:2]) < SMALLEST_SIDE:
        raise Refusal(
            "photo.too_small",
            gettext_noop("This photo is too small. Please choose one that is at least 256 pixels wide and high."),
            f"{image.shape[1]} x {image.shape[0]}",
        )


def check_only_person(poses: list[Pose]) -> Pose:
    """The one person of a photo; raises Refusal when there is none, or a second about as large as the first."""
    if not poses:
        raise Refusal(
            "photo.no_person",
            NO_PERSON,
        )
    first, *others = sorted(poses, key=_size, reverse=True)
    for other in others:
        sure = other.keypoints[[Joint.L_SHOULDER, Joint.R_SHOULDER], 3].min() >= SURE
        if sure and _size(other) > 0.45 * _size(first) and _overlap(first.mask, other.mask) < 0.5:
            raise Refusal(
                "photo.several_people",
                gettext_noop("There is more than one person in this photo. Please choose one that shows only you."),
            )
    return first


def _size(pose: Pose) -> float:
    """Head and torso, from nose to hips: about the same for people who face the camera and who do not."""
    hips = (pose.keypoints[Joint.L_HIP, :2] + pose.keypoints[Joint.R_HIP, :2]) / 2
    return float(np.hypot(*(hips - pose.keypoints[Joint.NOSE, :2])))


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two soft masks."""
    a, b = a > 0.5, b > 0.5
    return float((a & b).sum() / max(1, (a | b).sum()))


def check_keypoints(keypoints: np.ndarray, shape: tuple[int, int], *, hips_seen: bool) -> None:
    """Raises Refusal when the body cannot be dressed as it stands."""
    if not np.isfinite(keypoints).all():
        raise Refusal("photo.no_person", NO_PERSON, "a joint is not a number")
    _check_shoulders(keypoints, shape)
    if hips_seen:
        _check_upright(keypoints)
    _check_head(keypoints)
    turned = turn(keypoints)
    if hips_seen and turned > TURNED_TOO_FAR:
        raise Refusal(
            "photo.turned",
            gettext_noop("You are turned to the side in this photo. Please choose one that shows you from the front."),
            f"{turned:.0f} degrees",
        )
    span = float(np.hypot(*(keypoints[Joint.L_SHOULDER, :2] - keypoints[Joint.R_SHOULDER, :2])))
    if span < 0.05 * max(shape):
        raise Refusal(
            "photo.person_too_small",
            gettext_noop("You are too far away in this photo. Please step closer or cut the photo to head and hips."),
            f"shoulders {span:.0f} px",
        )


def _check_shoulders(keypoints: np.ndarray, shape: tuple[int, int]) -> None:
    height, width = shape
    x, y, _, sure = keypoints[[Joint.L_SHOULDER, Joint.R_SHOULDER]].T
    inside = (x > 0.01 * width) & (x < 0.99 * width) & (y > 0) & (y < 0.95 * height)
    if not (inside & (sure >= SURE)).all():
        raise Refusal(
            "photo.shoulders_outside",
            gettext_noop("We need to see both of your shoulders. Please choose a photo from head to hips."),
        )


def _check_head(keypoints: np.ndarray) -> None:
    """A face that is seen, and a body that is seen from its side; joints of a head that is cut off are made up."""
    left, right = keypoints[Joint.L_SHOULDER], keypoints[Joint.R_SHOULDER]
    head = keypoints[[Joint.NOSE, Joint.L_EYE, Joint.R_EYE]]
    top_of_head = min(left[1], right[1]) - 0.65 * np.hypot(*(left[:2] - right[:2]))
    if (head[:, 1] <= 0).any() or (top_of_head < 0 and head[:, 3].min() < SURE):
        raise Refusal(
            "photo.head_outside",
            gettext_noop("Your head is cut off in this photo. Please choose one that shows your head and hips."),
        )
    if left[0] < right[0]:
        raise Refusal(
            "photo.from_behind",
            gettext_noop("We see you from behind. Please choose a photo that shows you from the front."),
        )
    if head[:, 3].min() < SURE:
        raise Refusal(
            "photo.face_hidden",
            gettext_noop(
                "We cannot see your face. Please choose a photo that shows you from the front, with nothing before"
                " your face."
            ),
        )


def _check_upright(keypoints: np.ndarray) -> None:
    down = BodyFrame.of(keypoints).down
    lean = np.degrees(np.arctan2(abs(down[0]), down[1]))
    if lean > 120:  # legs alone are taken for a body on its head
        raise Refusal("photo.no_person", NO_PERSON, f"upside down, {lean:.0f} degrees")
    if lean > 30:
        raise Refusal(
            "photo.leaning",
            gettext_noop("You are leaning or lying in this photo. Please choose one that shows you standing."),
            f"{lean:.0f} degrees",
        )


def check_separable(person: np.ndarray, pose_mask: np.ndarray) -> bool:
    """Whether two networks agree well on where the person ends; raises Refusal when they do not at all."""
    agreement = _overlap(person, pose_mask)
    if agreement < 0.70:
        raise Refusal(
            "photo.unclear_outline",
            gettext_noop("We cannot tell you from the background. Please choose a photo in front of a plainer wall."),
            f"IoU {agreement:.2f}",
        )
    return agreement >= 0.80


def check_photo(person: PreparedPerson) -> list[Finding]:
    """What to tell a shopper about a photo that passed, worst first."""
    found = [*_hidden(person), *_pose(person), *_frame(person), *_light(person), *_outline(person)]
    return sorted(found, key=lambda finding: finding.severity != "refuse")


def _warn(code: str, sentence: str) -> Finding:
    return Finding(code, "warn", sentence)


def _hidden(person: PreparedPerson) -> Iterator[Finding]:
    """What lies over the top."""
    frame = BodyFrame.of(person.keypoints)
    across, along = frame.maps(person.parse.shape)
    torso = (np.abs(across) < 0.75) & (along > 0.12) & (along < 0.8)
    things = person.carried[torso]
    hidden = np.isin(person.parse[torso], (Parse.HAIR, *ARMS)) | things
    share = float(hidden.mean()) if hidden.size else 1.0
    if share > 0.45:
        yield Finding(
            "photo.torso_hidden",
            "refuse",
            gettext_noop(
                "Your arms, hair or a bag cover most of your top. Please choose a photo where we can see it."
            ),
        )
    elif things.size and things.mean() > 0.03:
        yield _warn(
            "photo.thing_in_front",
            gettext_noop("A phone, bag or strap is in front of your top and stays in the picture. Hold it aside."),
        )
    elif share > 0.15:
        yield _warn(
            "photo.torso_partly_hidden",
            gettext_noop("Your arms or hair cover part of your top, so the picture may look rough there."),
        )


def _pose(person: PreparedPerson) -> Iterator[Finding]:
    """Why a pose is hard to dress."""
    pose = person.difficulty
    causes = []
    if pose.turned >= TURNED_HARD:
        causes.append(
            _warn(
                "photo.half_turned",
                gettext_noop("You are half turned to the side. A photo that faces the camera gives a better picture."),
            )
        )
    if pose.level == "hard" and pose.crossing:
        causes.append(
            _warn(
                "photo.arms_crossed",
                gettext_noop("Your arms are in front of your body. Let them hang a little away from it."),
            )
        )
    if pose.raised >= RAISED_HARD:
        causes.append(
            _warn(
                "photo.arms_raised",
                gettext_noop("Your arms are raised. Sleeves look best with your arms at your sides."),
            )
        )
    if pose.level == "hard" and not causes:
        causes.append(
            _warn(
                "photo.hard_pose",
                gettext_noop(
                    "This pose is hard to dress. Stand straight, face the camera, arms a little away from your body."
                ),
            )
        )
    yield from causes
    if _leg_bent(person.keypoints):
        yield _warn(
            "photo.legs_bent",
            gettext_noop("Your legs are bent. Trousers, skirts and dresses need a photo that shows you standing."),
        )


def _leg_bent(keypoints: np.ndarray) -> bool:
    """Whether a thigh that is seen hangs down much less than a torso's length, as of someone who sits."""
    frame = BodyFrame.of(keypoints)
    for hip, knee in ((Joint.L_HIP, Joint.L_KNEE), (Joint.R_HIP, Joint.R_KNEE)):
        thigh = (keypoints[knee, :2] - keypoints[hip, :2]) @ frame.down
        if min(keypoints[[hip, knee], 3]) >= SURE and thigh < 0.5 * frame.torso_length:
            return True
    return False


def _frame(person: PreparedPerson) -> Iterator[Finding]:
    """What the picture's border cuts off."""
    frame = BodyFrame.of(person.keypoints)
    lowest = (person.image.shape[0] - frame.origin[1]) / frame.torso_length
    if HIPS_SYNTHESISED in person.flags:
        yield _warn(
            "photo.hips_outside",
            gettext_noop("We cannot see your hips. Step back until they are in the picture to see where a top ends."),
        )
    elif lowest < 1.45:
        yield _warn(
            "photo.legs_outside",
            gettext_noop("We cannot see your legs. Trousers, skirts and dresses need a photo from head to feet."),
        )


def _light(person: PreparedPerson) -> Iterator[Finding]:
    grey = cv2.cvtColor(person.image, cv2.COLOR_RGB2GRAY)
    body, face = grey[person.mask > 127], grey[person.parse == Parse.FACE]
    # Someone in black against a bright wall stands in good light.
    if np.quantile(body, 0.9) < 70 and np.quantile(grey, 0.95) < 140:
        yield _warn("photo.dark", gettext_noop("This photo is dark. More light gives a better picture."))
    if face.size and (face >= 250).mean() > 0.25:
        yield _warn(
            "photo.too_bright",
            gettext_noop("This photo is too bright: your face is washed out. Less light gives a better picture."),
        )
    edges = np.abs(cv2.Laplacian(grey, cv2.CV_32F)[person.mask > 127])
    if np.quantile(edges, 0.99) * max(1.0, 128 / max(float(np.quantile(body, 0.9)), 1.0)) < SHARP:
        yield _warn("photo.blurred", gettext_noop("This photo is blurred. A sharp one gives a better picture."))


def _outline(person: PreparedPerson) -> Iterator[Finding]:
    if UNCLEAR_OUTLINE in person.flags:
        yield _warn(
            "photo.outline_rough",
            gettext_noop("You are hard to tell from the background in places. A plainer wall gives a better picture."),
        )
