"""What a photo must be like, and what would make a better picture. Light: the networks are not imported here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

from preprocessing.errors import Refusal, gettext_noop
from preprocessing.labels import ARMS, Joint, Parse
from preprocessing.person.body import ARM, SIDES, BodyFrame

if TYPE_CHECKING:
    from preprocessing.person.pose import Pose
    from preprocessing.person.prepare import PreparedPerson

SMALLEST_SIDE = 256
SURE = 0.5


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
            gettext_noop("We cannot find a person in this photo. Please choose one that shows you from head to hips."),
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
    height, width = shape
    shoulders = keypoints[[Joint.L_SHOULDER, Joint.R_SHOULDER]]
    inside = (
        (shoulders[:, 0] > 0.01 * width)
        & (shoulders[:, 0] < 0.99 * width)
        & (shoulders[:, 1] > 0)
        & (shoulders[:, 1] < 0.95 * height)
    )
    if not (inside & (shoulders[:, 3] >= SURE)).all():
        raise Refusal(
            "photo.shoulders_outside",
            gettext_noop("We need to see both of your shoulders. Please choose a photo from head to hips."),
        )
    head = keypoints[[Joint.NOSE, Joint.L_EYE, Joint.R_EYE]]
    face_seen = (head[:, 1] > 0).all() and head[:, 3].min() >= SURE
    if not face_seen or shoulders[0, 0] < shoulders[1, 0]:
        raise Refusal(
            "photo.face_hidden",
            gettext_noop(
                "We cannot see your face. Please choose a photo that shows you from the front, head included."
            ),
        )
    span = float(np.hypot(*(shoulders[0, :2] - shoulders[1, :2])))
    if span < 0.05 * max(height, width):
        raise Refusal(
            "photo.person_too_small",
            gettext_noop("You are too far away in this photo. Please step closer or cut the photo to head and hips."),
            f"shoulders {span:.0f} px",
        )
    _check_turned(keypoints, span, hips_seen)


def _check_turned(keypoints: np.ndarray, span: float, hips_seen: bool) -> None:
    frame = BodyFrame.of(keypoints)
    depth = abs(float(keypoints[Joint.L_SHOULDER, 2] - keypoints[Joint.R_SHOULDER, 2])) / span
    narrow = hips_seen and span < 0.38 * frame.torso_length
    if narrow or depth > 2.0:
        raise Refusal(
            "photo.turned",
            gettext_noop("You are turned to the side in this photo. Please choose one that shows you from the front."),
            f"depth {depth:.2f}, width {span / frame.torso_length:.2f}",
        )
    lean = np.degrees(np.arctan2(abs(frame.down[0]), frame.down[1]))
    if lean > 30:
        raise Refusal(
            "photo.leaning",
            gettext_noop("You are leaning or lying in this photo. Please choose one that shows you standing."),
            f"{lean:.0f} degrees",
        )


def check_separable(person: np.ndarray, pose_mask: np.ndarray) -> None:
    """Raises Refusal when two networks do not agree on where the person ends."""
    agreement = _overlap(person, pose_mask)
    if agreement < 0.70:
        raise Refusal(
            "photo.unclear_outline",
            gettext_noop("We cannot tell you from the background. Please choose a photo in front of a plainer wall."),
            f"IoU {agreement:.2f}",
        )


def check_photo(person: PreparedPerson) -> list[Finding]:
    """What to tell a shopper about a photo that passed, worst first."""
    findings = []
    if _hidden_torso(person) > 0.45:
        findings.append(
            Finding(
                "photo.torso_hidden",
                "refuse",
                gettext_noop(
                    "Your arms, hair or a bag cover most of your top. Please choose a photo where we can see it."
                ),
            )
        )
    elif _hidden_torso(person) > 0.15:
        findings.append(
            Finding(
                "photo.torso_partly_hidden",
                "warn",
                gettext_noop("Your arms or hair cover part of your top, so the picture may look rough there."),
            )
        )
    if "hips_synthesised" in person.flags:
        findings.append(
            Finding(
                "photo.hips_outside",
                "warn",
                gettext_noop("We cannot see your hips. A photo from head to hips shows where a top ends."),
            )
        )
    findings += _lighting(person)
    if _arm_angle(person) > 100:
        findings.append(
            Finding(
                "photo.arms_raised",
                "warn",
                gettext_noop("Your arms are raised. Sleeves look best with your arms at your sides."),
            )
        )
    return sorted(findings, key=lambda finding: finding.severity != "refuse")


def _hidden_torso(person: PreparedPerson) -> float:
    """Share of the chest and belly covered by hair, arms or things carried."""
    frame = BodyFrame.of(person.keypoints)
    across, along = frame.maps(person.parse.shape)
    torso = (np.abs(across) < 0.75) & (along > 0.12) & (along < 0.8)
    hidden = np.isin(person.parse, (Parse.HAIR, *ARMS)) | person.carried
    return float(hidden[torso].mean()) if torso.any() else 1.0


def _lighting(person: PreparedPerson) -> list[Finding]:
    grey = cv2.cvtColor(person.image, cv2.COLOR_RGB2GRAY)
    body = grey[person.mask > 127]
    findings = []
    if np.quantile(body, 0.9) < 70:
        findings.append(
            Finding("photo.dark", "warn", gettext_noop("This photo is dark. More light gives a better picture."))
        )
    sharpness = cv2.Laplacian(grey, cv2.CV_32F)[person.mask > 127].std()
    if sharpness < 2.0:
        findings.append(
            Finding(
                "photo.blurred", "warn", gettext_noop("This photo is blurred. A sharp one gives a better picture.")
            )
        )
    return findings


def _arm_angle(person: PreparedPerson) -> float:
    """Degrees between the torso and the upper arm lifted highest."""
    down = BodyFrame.of(person.keypoints).down
    angles = []
    for side in SIDES:
        shoulder, elbow = (person.keypoints[joint, :2] for joint in ARM[side][:2])
        way = (elbow - shoulder) / max(float(np.hypot(*(elbow - shoulder))), 1e-3)
        angles.append(float(np.degrees(np.arccos(np.clip(way @ down, -1, 1)))))
    return max(angles)
