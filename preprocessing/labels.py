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
    L_HEEL = 29
    R_HEEL = 30
    L_TOES = 31
    R_TOES = 32


class Body25(IntEnum):
    """The keypoints of OpenPose's BODY_25 (arXiv:1812.08008), left and right the person's own."""

    NOSE = 0
    NECK = 1
    R_SHOULDER = 2
    R_ELBOW = 3
    R_WRIST = 4
    L_SHOULDER = 5
    L_ELBOW = 6
    L_WRIST = 7
    MID_HIP = 8
    R_HIP = 9
    R_KNEE = 10
    R_ANKLE = 11
    L_HIP = 12
    L_KNEE = 13
    L_ANKLE = 14
    R_EYE = 15
    L_EYE = 16
    R_EAR = 17
    L_EAR = 18
    L_BIG_TOE = 19
    L_SMALL_TOE = 20
    L_HEEL = 21
    R_BIG_TOE = 22
    R_SMALL_TOE = 23
    R_HEEL = 24


class Region(IntEnum):
    """The channels of the selfie_multiclass segmenter."""

    BACKGROUND = 0
    HAIR = 1
    BODY_SKIN = 2
    FACE_SKIN = 3
    CLOTHES = 4
    OTHERS = 5


class Parse(IntEnum):
    """The 20 labels of a parse map, with the numbers of CIHP (arXiv:1811.12596); left and right the person's own."""

    BACKGROUND = 0
    HAT = 1
    HAIR = 2
    GLOVE = 3
    SUNGLASSES = 4
    UPPER = 5
    DRESS = 6
    COAT = 7
    SOCKS = 8
    PANTS = 9
    TORSO_SKIN = 10
    SCARF = 11
    SKIRT = 12
    FACE = 13
    LEFT_ARM = 14
    RIGHT_ARM = 15
    LEFT_LEG = 16
    RIGHT_LEG = 17
    LEFT_SHOE = 18
    RIGHT_SHOE = 19


TOPS = (Parse.UPPER, Parse.COAT)
BOTTOMS = (Parse.PANTS, Parse.SKIRT)
ARMS = (Parse.LEFT_ARM, Parse.RIGHT_ARM)
LEGS = (Parse.LEFT_LEG, Parse.RIGHT_LEG)
SHOES = (Parse.LEFT_SHOE, Parse.RIGHT_SHOE)
HEAD = (Parse.HAT, Parse.HAIR, Parse.SUNGLASSES, Parse.FACE)


class DensePose(IntEnum):
    """The 24 body parts of DensePose (arXiv:1802.00434) and the background; left and right the person's own.

    An arm's inner half is the one of biceps and palm, its outer half that of triceps and the back of the hand: of an
    arm that hangs down, the camera sees the inner one beside the torso and the outer one away from it.
    """

    BACKGROUND = 0
    TORSO_BACK = 1
    TORSO_FRONT = 2
    RIGHT_HAND = 3
    LEFT_HAND = 4
    LEFT_FOOT = 5
    RIGHT_FOOT = 6
    RIGHT_THIGH_BACK = 7
    LEFT_THIGH_BACK = 8
    RIGHT_THIGH_FRONT = 9
    LEFT_THIGH_FRONT = 10
    RIGHT_CALF_BACK = 11
    LEFT_CALF_BACK = 12
    RIGHT_CALF_FRONT = 13
    LEFT_CALF_FRONT = 14
    LEFT_UPPER_ARM_INNER = 15
    RIGHT_UPPER_ARM_INNER = 16
    LEFT_UPPER_ARM_OUTER = 17
    RIGHT_UPPER_ARM_OUTER = 18
    LEFT_FOREARM_INNER = 19
    RIGHT_FOREARM_INNER = 20
    LEFT_FOREARM_OUTER = 21
    RIGHT_FOREARM_OUTER = 22
    HEAD_RIGHT = 23
    HEAD_LEFT = 24


LEG_SURFACE = tuple(part for part in DensePose if "_THIGH_" in part.name or "_CALF_" in part.name)


class Label13(IntEnum):
    """What HR-VITON and VITON-HD see a person as: the labels of a parse map, brought together to 13."""

    BACKGROUND = 0
    HAIR = 1
    FACE = 2
    UPPER = 3
    BOTTOM = 4
    LEFT_ARM = 5
    RIGHT_ARM = 6
    LEFT_LEG = 7
    RIGHT_LEG = 8
    LEFT_SHOE = 9
    RIGHT_SHOE = 10
    SOCKS = 11
    NOISE = 12


class Label7(IntEnum):
    """What their image generators are told of each place; what PASTE names is seen in the agnostic already."""

    BACKGROUND = 0
    PASTE = 1
    UPPER = 2
    HAIR = 3
    LEFT_ARM = 4
    RIGHT_ARM = 5
    NOISE = 6


LABEL13_OF_PARSE = {
    Parse.BACKGROUND: Label13.BACKGROUND,
    Parse.HAT: Label13.HAIR,
    Parse.HAIR: Label13.HAIR,
    Parse.GLOVE: Label13.NOISE,
    Parse.SUNGLASSES: Label13.FACE,
    Parse.UPPER: Label13.UPPER,
    Parse.DRESS: Label13.UPPER,
    Parse.COAT: Label13.UPPER,
    Parse.SOCKS: Label13.SOCKS,
    Parse.PANTS: Label13.BOTTOM,
    Parse.TORSO_SKIN: Label13.BACKGROUND,
    Parse.SCARF: Label13.NOISE,
    Parse.SKIRT: Label13.BOTTOM,
    Parse.FACE: Label13.FACE,
    Parse.LEFT_ARM: Label13.LEFT_ARM,
    Parse.RIGHT_ARM: Label13.RIGHT_ARM,
    Parse.LEFT_LEG: Label13.LEFT_LEG,
    Parse.RIGHT_LEG: Label13.RIGHT_LEG,
    Parse.LEFT_SHOE: Label13.LEFT_SHOE,
    Parse.RIGHT_SHOE: Label13.RIGHT_SHOE,
}
LABEL7_OF_LABEL13 = {
    Label13.BACKGROUND: Label7.BACKGROUND,
    Label13.HAIR: Label7.HAIR,
    Label13.FACE: Label7.PASTE,
    Label13.UPPER: Label7.UPPER,
    Label13.BOTTOM: Label7.PASTE,
    Label13.LEFT_ARM: Label7.LEFT_ARM,
    Label13.RIGHT_ARM: Label7.RIGHT_ARM,
    Label13.LEFT_LEG: Label7.PASTE,
    Label13.RIGHT_LEG: Label7.PASTE,
    Label13.LEFT_SHOE: Label7.PASTE,
    Label13.RIGHT_SHOE: Label7.PASTE,
    Label13.SOCKS: Label7.PASTE,
    Label13.NOISE: Label7.NOISE,
}
