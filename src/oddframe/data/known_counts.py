"""How many frames the videos of public sets have as they were published, by the number or name of the video.

From the labels that come with the sets, and for Ped2 from its frames. Not known here: the training videos of Avenue
and ShanghaiTech.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def _by_number(counts: Sequence[int]) -> dict[int, int]:
    return dict(enumerate(counts, 1))


UCSD_TRAINING: Mapping[str, Mapping[int, int]] = {
    "ucsd-ped1": _by_number((200,) * 34),
    "ucsd-ped2": _by_number((120, 150, 150, 180, 180, 150, 150, 120, 180, 180, 180, 180, 180, 150, 150, 150)),
}
UCSD_TEST: Mapping[str, Mapping[int, int]] = {
    "ucsd-ped1": _by_number((200,) * 36),
    "ucsd-ped2": _by_number((180, 180, 150, 180, 150, 180, 180, 180, 120, 150, 180, 180)),
}
AVENUE_TEST: Mapping[int, int] = _by_number(
    (
        *(1439, 1211, 923, 947, 1007, 1283, 605, 36, 1175, 841, 472),
        *(1271, 549, 507, 1001, 740, 426, 294, 248, 273, 76),
    )
)

_SHANGHAITECH_TEST = """
01 0014:265 0015:433 0016:337 0025:601 0026:505 0027:409 0028:457 0029:313 0030:409 0051:337 0052:337 0053:457 0054:577
01 0055:313 0056:529 0063:193 0064:289 0073:289 0076:265 0129:241 0130:337 0131:289 0132:265 0133:217 0134:433 0135:409
01 0136:529 0138:313 0139:217 0140:241 0141:313 0162:193 0163:265 0177:317
02 0128:457 0161:337 0164:361
03 0031:529 0032:409 0033:313 0035:385 0036:457 0039:481 0041:457 0059:433 0060:385 0061:241
04 0001:553 0003:937 0004:865 0010:505 0011:313 0012:361 0013:361 0046:529 0050:337
05 0017:433 0018:481 0019:649 0020:649 0021:409 0022:337 0023:769 0024:433
06 0144:241 0145:217 0147:265 0150:265 0153:217 0155:265
07 0005:409 0006:385 0007:481 0008:457 0009:313 0047:601 0048:241 0049:481
08 0044:313 0058:337 0077:457 0078:217 0079:241 0080:289 0156:337 0157:313 0158:337 0159:265 0178:265 0179:337
09 0057:361
10 0037:433 0038:241 0042:433 0074:601 0075:505
11 0176:337
12 0142:601 0143:265 0148:313 0149:241 0151:289 0152:361 0154:385 0173:217 0174:337 0175:265
"""
SHANGHAITECH_TEST: Mapping[str, int] = {
    f"{camera}_{video[:4]}": int(video[5:])
    for camera, *videos in map(str.split, _SHANGHAITECH_TEST.strip().split("\n"))
    for video in videos
}
"""Camera and video, as in "01_0014" → frames."""
