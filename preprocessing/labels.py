"""Every joint and label number used by the project, by name."""

from enum import IntEnum


class Joint(IntEnum):
    """The 33 keypoints of BlazePose (arXiv:2006.10204), named like OpenPose's BODY_25 where both have them.

    Left and right are the person's own.
    """

    NOSE = 0
    L_EYE = 2
    R_EYE = 5
    L_EAR = 7
    R_EAR = 8
    L_MOUTH = 9
    R_MOUTH = 10
    L_SHOULDER = 11
    R_SHOULDER = 12
    L_ELBOW = 13
    R_ELBOW = 14
    L_WRIST = 15
    R_WRIST = 16
    L_LITTLE_FINGER = 17
    R_LITTLE_FINGER = 18
    L_INDEX_FINGER = 19
    R_INDEX_FINGER = 20
    L_HIP = 23
    R_HIP = 24
    L_KNEE = 25
    R_KNEE = 26
    L_ANKLE = 27
    R_ANKLE = 28


class Region(IntEnum):
    """The channels of the selfie_multiclass segmenter."""

    BACKGROUND = 0
    HAIR = 1
    BODY_SKIN = 2
    FACE_SKIN = 3
    CLOTHES = 4
    OTHERS = 5


class Parse(IntEnum):
    """Labels of a parse map: the numbers of CIHP (arXiv:1811.12596), and one of our own for the rest."""

    BACKGROUND = 0
    HAIR = 2
    UPPER = 5
    LOWER = 9
    TORSO_SKIN = 10
    FACE = 13
    LEFT_ARM = 14
    RIGHT_ARM = 15
    LEFT_LEG = 16
    RIGHT_LEG = 17
    ACCESSORY = 20
