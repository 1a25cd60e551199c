"""The colours of the types of situation: told apart, and read, in both schemes."""

import itertools
import math
import re
from pathlib import Path

import pytest
from django.conf import settings

from situations.models.referentiel import Sr1

CSS = (Path(settings.BASE_DIR) / "static/css/siao.css").read_text(encoding="utf-8")
PAGES = {"light": "#ffffff", "dark": "#161616"}


def colours(scheme: str) -> dict[str, str]:
    """Custom properties of the situations: all of them in the light scheme, those that change in the dark one."""
    light = re.search(r"\n:root \{(.*?)\}", CSS, re.S)[1]
    dark = re.search(r':root\[data-fr-theme="dark"\] \{(.*?)\}', CSS, re.S)[1]
    rules = light + (dark if scheme == "dark" else "")
    return dict(re.findall(r"--sr-([a-z-]+): (#[0-9a-f]{6});", rules))


def linear(colour: str) -> list[float]:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def lab(colour: str) -> tuple[float, float, float]:
    r, g, b = linear(colour)
    xyz = (
        (0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047,
        0.2126729 * r + 0.7151522 * g + 0.0721750 * b,
        (0.0193339 * r + 0.1191920 * g + 0.9503041 * b) / 1.08883,
    )
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def ciede2000(one: str, other: str) -> float:
    (l1, a1, b1), (l2, a2, b2) = lab(one), lab(other)
    mean = (math.hypot(a1, b1) + math.hypot(a2, b2)) / 2
    g = 0.5 * (1 - math.sqrt(mean**7 / (mean**7 + 25**7)))
    a1, a2 = (1 + g) * a1, (1 + g) * a2
    c1, c2 = math.hypot(a1, b1), math.hypot(a2, b2)
    h1, h2 = (math.degrees(math.atan2(b, a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    turn = (h2 - h1 + 180) % 360 - 180
    dh = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2))
    lm, cm, hm = (l1 + l2) / 2, (c1 + c2) / 2, h1 + turn / 2
    t = (
        1
        - 0.17 * math.cos(math.radians(hm - 30))
        + 0.24 * math.cos(math.radians(2 * hm))
        + 0.32 * math.cos(math.radians(3 * hm + 6))
        - 0.20 * math.cos(math.radians(4 * hm - 63))
    )
    sl = 1 + 0.015 * (lm - 50) ** 2 / math.sqrt(20 + (lm - 50) ** 2)
    sc, sh = 1 + 0.045 * cm, 1 + 0.015 * cm * t
    rt = -2 * math.sqrt(cm**7 / (cm**7 + 25**7)) * math.sin(math.radians(60 * math.exp(-(((hm - 275) / 25) ** 2))))
    parts = (l2 - l1) / sl, (c2 - c1) / sc, dh / sh
    return math.sqrt(sum(part**2 for part in parts) + rt * parts[1] * parts[2])


def test_the_measure_is_that_of_its_authors():
    """Two pairs of greys and blues worked out by hand: equal colours, and a step of lightness alone."""
    assert ciede2000("#123456", "#123456") == 0
    assert ciede2000("#000000", "#ffffff") == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize("scheme", PAGES)
@pytest.mark.django_db
def test_types_are_told_apart_and_read(scheme):
    known = colours(scheme)
    tints = {name: known[name] for name in {*Sr1.objects.values_list("couleur", flat=True), "nr"}}
    assert len(tints) == 9
    for one, other in itertools.combinations(tints, 2):
        assert ciede2000(tints[one], tints[other]) >= 10, (one, other)
        assert math.dist(lab(tints[one]), lab(tints[other])) >= 10, (one, other)
    for name, tint in tints.items():
        assert contrast(tint, known["texte"]) >= 4.5, name
        assert contrast(tint, known[f"{name}-trait"]) >= 3, name
        # The shape is seen on the page: by its line, or by its tint.
        assert max(contrast(tint, PAGES[scheme]), contrast(known[f"{name}-trait"], PAGES[scheme])) >= 3, name
