"""What has been published about EigenScape beside its audio: takes, checksums, and a known fault.

Sixty-four takes of ten minutes in two products: `Beach-01-Raw.wav`, 32 capsule signals, and
`Beach.1.wav`, fourth-order ambisonics in 25 channels. The raw `Park-06` and `Park-08` were
exchanged with the ambisonic ones when the files were published: the raw release holds 25
channels under those names, and `Park.zip` of Zenodo record 1284156 holds the 32-channel files as
`Park.6.wav` and `Park.8.wav` (record 2628463 has the ambisonic ones):
https://github.com/micarraylib/micarraylib/issues/8.

The checksums are those of the index files of soundata (`eigenscape_raw`, version 1.0, and
`eigenscape`, version 2.0).
"""

from __future__ import annotations

from collections.abc import Iterable

from codecctl.datasets.naming import (
    AMBISONIC_CHANNELS,
    EM32_CHANNELS,
    SCENES,
    Place,
    array_of,
)

TAKES = 8
"""Of each scene."""

_EXCHANGED = ("6", "8")
"""Takes of Park that stand in the other product's release."""

_RAW_MD5 = {
    "Beach": """
        5612673e79f8d586ba47d43dc902d5da 8e54f09e9c8e1743ae4a621bb9a5bc2c
        da9f99ed0a345fe70585027cf720814b ecff0a9cd887d2f0f98bcc91da908268
        9dc5842335bf29f6535e256f69c13ff7 75d09df7b67f0628bec1898d435dfc25
        92b8d3fc31f2c4ba9accfc5ed1ace273 442c75cfa85d53773ff0293e166015ff""",
    "BusyStreet": """
        688494e8d7e65f68c3a502a562d14606 056993f41d7c565dbd8bebed02fd72b5
        c0894c6d1b885c3a16e13ad92246dfb7 e316bf3793ad4af3f77f26e87d4c1925
        b91bbea24824335323c95f42d0db7c91 7cabf6206d5a576065df03883917ec56
        4ce81dab9cd8d78a7a19b077e18c7b4a fd4213a44df3bc6efc9cb83c23ff7c9e""",
    "Park": """
        4e64743fdadcddee3457447a9b27f886 a6371643246cfa2ccf5382b16c2a3721
        d69cdd43f210744fed62482f49abaff6 31b9505132a8650078f9b483e5989370
        80e0482b4f05436d6154b8eda1743218 68754f33ab6602ba2fd5abf80f9729e8
        11309f033438cae1ee28420c321657d9 b1ea9a539c9be3052f577856ca7928c8""",
    "PedestrianZone": """
        2683416fdf5c3b72484d3cd0bba30265 067563aead2ebce897fbae33ed84ba00
        2900b3a73683998737eaa73eb1e4da29 0bcbfcf3ff8e539e639636689fb53680
        79fc8c8e7bf575f4cea25cb8de7c62a0 865dab7b6a1bb920e5f85a51f4f8211a
        4a9462df17b549ec9936d7a6228f999d 7aae03ad5ee0e0223fa4e96507cca344""",
    "QuietStreet": """
        4b92a30ca73edb12f9190fde53cadcba 15b7742bacadb0417b227de9550af725
        b4f6dc1cb65f9b2051273e496764219d 7c45aaca071c2b9cee3849f73be97998
        74fc68ce1d552b3c76162809bf343750 bb6f09247cf62fecc29349aca10500bd
        a1026a16ba0f4ebcbae0bff6f78c3c5c 69c5376a43357262c950393a5766698d""",
    "ShoppingCentre": """
        c02ca658b0cf85561f8c5f728db5bee9 951c77f0867a09d18d5d14c52932b5d2
        a3ef52bc54d0c7738be537f3b28be7c6 bb040c0dce13eb553458f014644061f4
        eaf0b9c5313d5bceb0355ab989d04a03 7e402f7412a95d295d40fa05cb6096b6
        0c10d361a1e2b1a150f48d869580cc00 38f58d35833aab2a2bbf62c1388c2fb3""",
    "TrainStation": """
        b7c9ab43daa0f7ba940c44e0b9591e67 104723e307c61a501d24033fac0ea205
        651a9c536d5ee12f955998ba9fc0d63c 6326b1ab69a2ff306978741937ce2b7a
        fe137aefe8d769b084bd0ff1949d0400 60932c5d02c5907550a47924e349f47e
        03a56d202ab8a3851799fe616add38b6 de418fdd958ed9875630e1fa65417b1e""",
    "Woodland": """
        b451fd7e167268d7308aeee95e632829 cd7f344fc6085c8385f1323c92049a79
        78c7661bf21225308183c67e903a229f 91afe627730952d75401277d851a67a3
        f22e3a06cef4e9dd81b44b2f418b0ef7 84dec0b311d153a3757ca7582f9d12fb
        eef91d59e41d41a7e0e7c035893dcb55 0541c709206b1cb4971969cb6d8dab0a""",
}
_AMBISONIC_MD5 = {
    "Beach": """
        b199ddd2350c0516c6908e12bea1095b 8e99e7860b57dc42e5277306cf6274df
        ac414d22fc3a8a42c008f53084a49761 3a437379da68f49404187cf4db0b1c3c
        da0f8273db08b4580807446b95ecc752 45eb354f4ebfc0e348a19c0052a02a92
        531a3d8c1ac0e39d50ade6b925fd6f48 611ac588d5f626caa38c72db74c61188""",
    "BusyStreet": """
        e9aff52b49ecc1ac2e49af9d8501743c f81be739364296d9c39eaa6d7d79b125
        435521f61c4cbd0131b35240b7621756 cffa69e0c35d31e9c921886bb6f0abf5
        3e919ec8134aeb0695aff54bc06500a5 d43e5d6e86c561779773862c8116fdb3
        c8358ba6dc184f97b597f2bd6a805e14 63919d91be0fd7b6f026a9b49c392b58""",
    "Park": """
        0c7066b0f79d6378bbb61090a6c06dd9 72b8e22714d4eebd2b2b5fd869d33d64
        df37f4b55601dee50def0e486d38bdb3 c4aa63b104315b5f9abadee1dbc7d0ab
        6aa1dd15d3bf2364e60defb6f3c0adf0 37993b2781e4820ae12b66c7a9e5343a
        1e175bd0996ce8420afaff94c836a2bb c27c18db86e5c3f403a42c73453f1f78""",
    "PedestrianZone": """
        e48353f8295abfece9e7189d2a73beb4 a0bc757abda17e12c19f1907b5f24341
        64fcba682bdcfd8d016622593575ff66 ec3cee5ddd77d4cc31b9563a6e0a61c3
        f2947e8aa8bf3bd0428350624f801bdd 43fa080b2f98629972f95384c7174e58
        a551503e4b3f207446d9a4b07eb1020d 09a6cb41cc8c6615f5023b6585b397f3""",
    "QuietStreet": """
        7b7823ce3b29ef9202e745307bf69b9d ddc3e45fee675c2e45994eaf8497c3d0
        9918bf59d950b48169f97ce5b910c3d2 f75174567426393f030a080a61ce56a2
        fbd98cee4c06fe31546d3d5b716b957a 1afcad36f44e38b70e64e0421c953376
        507f7190175260db5226ca356e8c8582 7a96aaafa157536c32dc4dc40a766624""",
    "ShoppingCentre": """
        59904153d65168f697ee0d5242dd60a7 446e96803a5328500a619165fad9b9c4
        2304619f09983030c999a24ffb209b98 821ee9133cc0c8afe17e7d5887eab2a7
        443899b7ce1c9871fd8f57966776b595 048528983185e7ba5c479d1bbe924a1b
        9ad352d45d24af1d19bb74c60700268f 5627926fe032942e07d5daa63e2161f8""",
    "TrainStation": """
        556c600f66ce4a9a53e22180d71e82fb b8b46afa62d561aa599ae0f3f388fcbf
        3374239265a2bf7221665ac81549f015 bff54799b250399a48d63a48a3812f14
        e900e3c9eb2fb62a3f8f156856464992 1102c475d931f9f2df50f8d1aa87c02a
        76c0abb4cfe8f010885ab69242a6190f e3ff91cdf80b807be6112aa511e5fed7""",
    "Woodland": """
        2b63e7d4b8ede79cccd8f3425ef1cf96 da99b16a76d08d663b893198d3a3fe82
        a68020e0b933d9b7a594fe50204f1720 cf68fa0424bb3faf8abe22551edff4de
        f4f0027211622a723b62451b3980fa1d 12ba86c8f2ce4897197599636bd866b8
        f6696e77606fc958f14e1c0eab3731fa ce3db1cc1705dc03579a2fbf7793db2f""",
}


def published_md5(where: Place, channels: int) -> str:
    """The published `md5:<hex>` of a take of this many channels, "" where there is none.

    Files that stand in the other product's release under their own product's name have none: it
    is not known whether they are the same byte for byte.
    """
    tables = {EM32_CHANNELS: _RAW_MD5, AMBISONIC_CHANNELS: _AMBISONIC_MD5}
    table = tables.get(channels)
    numbers = [str(number) for number in range(1, TAKES + 1)]
    if table is None or where.scene not in table or where.take not in numbers:
        return ""
    if where.raw and channels != EM32_CHANNELS:
        return ""
    return f"md5:{table[where.scene].split()[int(where.take) - 1]}"


def oddity(where: Place, channels: int, *, is_eigenscape: bool = True) -> str:
    """What is known to be wrong with a file of this name and channel count, else ""."""
    fault = _exchanged(where, channels) if is_eigenscape else ""
    if not fault and where.raw and channels != EM32_CHANNELS:
        return f"the name says raw, which is 32 channels; stored as {array_of(channels)}"
    return fault


def _exchanged(where: Place, channels: int) -> str:
    """Why a file of Park holds the other product than its name says, "" where it does not."""
    if where.scene != "Park" or where.take not in _EXCHANGED:
        return ""
    fault = "published fault of EigenScape: Park-06 and Park-08 of the two releases are exchanged"
    if where.raw and channels == AMBISONIC_CHANNELS:
        return (
            f"{fault}: this raw file holds 25-channel ambisonics, its 32 channels are in the "
            "ambisonic Park.zip of Zenodo record 1284156; stored as ambisonic"
        )
    if where.dotted and channels == EM32_CHANNELS:
        return (
            f"{fault}: this ambisonic file holds the 32 capsules, its ambisonics are in Park.zip "
            "of Zenodo record 2628463; stored as em32"
        )
    return ""


def missing_takes(places: Iterable[Place]) -> str:
    """Which of the takes a corpus lacks, as one sentence; "" when it has all of them."""
    have = {(where.scene, where.take) for where in places}
    missing: dict[str, list[int]] = {}
    for scene in SCENES:
        lacking = [number for number in range(1, TAKES + 1) if (scene, str(number)) not in have]
        if lacking:
            missing[scene] = lacking
    number = sum(map(len, missing.values()))
    if not number:
        return ""
    listing = ", ".join(f"{scene} {_spans(lacking)}" for scene, lacking in missing.items())
    return f"{number} of the {len(SCENES) * TAKES} takes of EigenScape are not here: {listing}"


def _spans(numbers: list[int]) -> str:
    """`1-3 5` for 1, 2, 3, 5."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return " ".join(str(low) if low == high else f"{low}-{high}" for low, high in spans)
