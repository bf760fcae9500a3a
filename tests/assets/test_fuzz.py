"""Mutated files: either a whole asset, or AssetError or NotImplementedError. Nothing else, nothing slow."""

import random
import re
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from test_mjcf import WALKER
from test_urdf import ARM

from kilogym.assets import Asset, AssetError, ImportOptions, load_asset
from kilogym.assets.tree import check_asset

SHAPES = """<collision><origin xyz="0 0 1" rpy="0 1 0"/><geometry><box size="1 2 3"/></geometry></collision>
  <visual><geometry><cylinder radius="1" length="2"/></geometry>
  <material name="m"><color rgba="1 0 0 1"/></material></visual>"""
URDF = ARM.replace("</link>", SHAPES + "</link>", 2)
VALUES = (
    "", "nan", "inf", "-inf", "-1", "0", "1e308", "1e39", "1e-300", "-0", "x", "1 2", "0 0 0", "0 0 0 0",
    "true", "free", "ball", "mesh", "plane", "sdf", "torso", "base", "hip_x", "9999999999", "ä", "\t",
)  # fmt: skip
TOKEN = re.compile(r"<[^>]*>|[^<]+")


def mutate(text: str, seed: int, times: int) -> str:
    """Change `times` random things of an XML text."""
    rng = random.Random(seed)
    for _ in range(times):
        kind = rng.randrange(8)
        tokens = TOKEN.findall(text)
        attributes = list(re.finditer(r'\s([\w]+)="([^"]*)"', text))
        if not tokens or not attributes:
            return text
        i, a = rng.randrange(len(tokens)), rng.choice(attributes)
        if kind == 0:  # drop a tag
            text = "".join(tokens[:i] + tokens[i + 1 :])
        elif kind == 1:  # double an element or a tag
            text = "".join(tokens[: i + 1] + tokens[i:])
        elif kind == 2:  # swap two tags
            j = rng.randrange(len(tokens))
            tokens[i], tokens[j] = tokens[j], tokens[i]
            text = "".join(tokens)
        elif kind == 3:  # another value
            text = text[: a.start(2)] + rng.choice(VALUES) + text[a.end(2) :]
        elif kind == 4:  # one number of a value
            words = a.group(2).split() or [""]
            words[rng.randrange(len(words))] = rng.choice(VALUES)
            text = text[: a.start(2)] + " ".join(words) + text[a.end(2) :]
        elif kind == 5:  # no attribute, or one of another place
            b = rng.choice(attributes)
            text = text[: a.start()] + rng.choice(("", b.group(0))) + text[a.end() :]
        elif kind == 6 and rng.random() < 0.2:  # cut off
            text = text[: rng.randrange(len(text))]
        else:  # drop or double a whole childless element
            whole = list(re.finditer(r"<\w+[^<>]*/>", text)) or [a]
            w = rng.choice(whole)
            text = text[: w.start()] + w.group(0) * rng.choice((0, 2)) + text[w.end() :]
    return text


def load_or_complain(text: str, suffix: str, **options) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (Path(folder) / f"robot{suffix}").write_text(text)
        try:
            asset = load_asset(folder, f"robot{suffix}", ImportOptions(**options))
        except (AssetError, NotImplementedError):
            return
    assert isinstance(asset, Asset)
    assert asset.links
    check_asset(asset)
    for link in asset.links:
        assert abs(np.linalg.norm(link.quat) - 1.0) < 1e-6
        assert link.mass > 0
    for joint in asset.joints:
        assert 0 <= joint.link < len(asset.links)
        assert joint.link > 0
        assert abs(np.linalg.norm(joint.axis) - 1.0) < 1e-6
    assert all(0 <= item.link < len(asset.links) for item in (*asset.shapes, *asset.visuals))


SEEDS = st.integers(0, 2**32)
QUICK = settings(max_examples=250, deadline=5000, suppress_health_check=list(HealthCheck))


@QUICK
@given(SEEDS, st.integers(1, 4), st.booleans())
def test_urdf(seed, times, collapse):
    load_or_complain(mutate(URDF, seed, times), ".urdf", collapse_fixed_joints=collapse)


@QUICK
@given(SEEDS, st.integers(1, 4), st.booleans())
def test_mjcf(seed, times, collapse):
    load_or_complain(mutate(WALKER, seed, times), ".xml", collapse_fixed_joints=collapse, density=500)


@QUICK
@given(st.text(max_size=60))
@example("\x00")
@example("<robot name='a'>&x;<link name='a'/></robot>")
def test_any_text(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    for suffix in (".urdf", ".xml"):
        load_or_complain(text, suffix)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "suffix"), [(URDF, ".urdf"), (WALKER, ".xml")])
def test_many_mutations(text, suffix):
    for seed in range(20000):
        load_or_complain(mutate(text, seed, 1 + seed % 6), suffix)
