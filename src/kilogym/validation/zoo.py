"""The models that the smooth dynamics are checked on, together in one env.

Robots of the tasks, an arm, and what is awkward: balls and slides in a row, five joints on one body, welded bodies,
random trees.
"""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path

import mujoco
import numpy as np

import kilogym
from kilogym.assets.asset import Asset
from kilogym.validation.batch_world import BatchWorld
from kilogym.validation.case import Precision
from kilogym.validation.oracle import Oracle
from kilogym.validation.trees import bare, load, load_text, random_tree

TASKS = Path(kilogym.__file__ or "").parent / "tasks"
ANT = TASKS / "ant/ant.xml"
HUMANOID = TASKS / "humanoid/humanoid.xml"
CARTPOLE = TASKS / "cartpole/cartpole.urdf"

FREE_BODY = """
<mujoco><worldbody><body name="stone"><freejoint/>
  <inertial pos="0.1 -0.05 0.2" mass="2.5" fullinertia="0.05 0.07 0.04 0.01 -0.005 0.008"/>
</body></worldbody></mujoco>"""

MIX = """
<mujoco><compiler angle="radian"/><worldbody>
  <body name="rail"><joint type="slide" axis="1 0.2 0" armature="0.1"/><geom size="0.1" mass="1.5"/>
    <body name="upper" pos="0 0 0.2"><joint type="ball" pos="0.02 0 -0.03" armature="0.02"/>
      <geom type="capsule" fromto="0 0 0 0 0.1 0.4" size="0.04" mass="0.8"/>
      <body name="lower" pos="0 0.1 0.4"><joint type="hinge" axis="0 1 1" pos="0 0.01 0"/>
        <geom type="capsule" fromto="0 0 0 0.3 0 0" size="0.03" mass="0.4"/>
        <body name="hand" pos="0.3 0 0"><joint type="slide" axis="0 0 1"/><joint type="ball"/>
          <geom type="box" size="0.05 0.08 0.02" pos="0.05 0 0" mass="0.2"/></body>
        <body name="fork" pos="0.1 0 0.1"><joint type="ball" pos="0 0 0.05"/>
          <geom type="box" size="0.02 0.08 0.06" mass="0.15"/></body>
      </body></body></body>
</worldbody></mujoco>"""

HINGES = """
<mujoco><compiler angle="radian"/><worldbody>
  <body name="base"><freejoint/><geom type="box" size="0.2 0.1 0.05" pos="0.02 0 0.01" mass="3"/>
    <body name="limb" pos="0.2 0 0">
      <joint axis="1 0 0" pos="0.01 0.02 0"/><joint axis="0 1 0" pos="0 0 0.1"/><joint axis="0.3 0.3 1"/>
      <joint type="slide" axis="0 1 1"/><joint axis="0 0 1" pos="-0.1 0 0" armature="0.05"/>
      <geom type="capsule" fromto="0 0 0 0.3 0.1 0" size="0.03" mass="0.5"/></body>
    <body name="other" pos="-0.2 0 0"><joint axis="0 0 1"/><joint axis="0 1 0"/>
      <geom type="capsule" fromto="0 0 0 -0.3 0 0.1" size="0.03" mass="0.6"/></body>
  </body>
</worldbody></mujoco>"""

WELDED = """
<mujoco><worldbody>
  <body name="base"><freejoint/><geom size="0.1" mass="1"/>
    <body name="weld" pos="0.1 0.2 0" euler="20 30 40"><geom type="box" size="0.1 0.05 0.02" mass="0.7"/>
      <body name="arm" pos="0 0.1 0.1" euler="0 50 0"><joint axis="1 0 0"/>
        <geom type="capsule" fromto="0 0 0 0 0 0.3" size="0.02" mass="0.3"/>
        <body name="tip" pos="0 0 0.3" euler="10 0 0"><geom size="0.05" mass="0.2"/>
          <body name="tip2" pos="0.1 0 0"><geom size="0.03" mass="0.1"/></body></body></body></body></body>
</worldbody></mujoco>"""

ARM = """
<mujoco><compiler angle="radian"/><default><geom type="capsule" size="0.05"/></default><worldbody>
  <body name="turret"><joint axis="0 0 1"/><geom fromto="0 0 0 0 0 0.14" mass="2.5"/>
    <body name="upper" pos="0 0 0.14"><joint axis="0 1 0"/><geom fromto="0 0 0 0 0 0.28" mass="2.2"/>
      <body name="twist" pos="0 0 0.28"><joint axis="0 0 1"/><geom fromto="0 0 0 0 0 0.1" mass="1.2"/>
        <body name="elbow" pos="0 0 0.1"><joint axis="0 1 0"/><geom fromto="0 0 0 0 0 0.24" mass="1.6"/>
          <body name="fore" pos="0 0 0.24"><joint axis="0 0 1"/><geom fromto="0 0 0 0 0 0.1" mass="0.9"/>
            <body name="wrist" pos="0 0 0.1"><joint axis="0 1 0"/><geom fromto="0 0 0 0 0 0.1" mass="0.6"/>
              <body name="hand" pos="0 0 0.1"><joint axis="0 0 1"/>
                <geom type="box" size="0.04 0.08 0.03" pos="0 0 0.03" mass="0.4"/></body>
            </body></body></body></body></body></body>
</worldbody></mujoco>"""

TREES = {"tree_a": (5, False), "tree_b": (8, False), "tree_c": (6, True)}
NAMES = ["ant", "humanoid", "cartpole", "arm", "free_body", "mix", "hinges", "welded", *TREES]


def from_text(name: str, text: str) -> Asset:
    """An asset from MJCF text."""
    with tempfile.TemporaryDirectory() as folder:
        return load_text(text, Path(folder), f"{name}.xml")


@lru_cache(maxsize=1)
def models() -> tuple[list[Asset], list[Oracle]]:
    """Assets in the order of NAMES, and MuJoCo's model of each: of MJCF files as MuJoCo itself reads them."""
    texts = {"free_body": FREE_BODY, "mix": MIX, "hinges": HINGES, "welded": WELDED, "arm": ARM}
    files = {"ant": ANT, "humanoid": HUMANOID, "cartpole": CARTPOLE}
    assets, oracles = [], []
    for name in NAMES:
        model = None
        if name in files:
            asset = bare(load(files[name], fix_base_link=files[name].suffix == ".urdf"))
            if files[name].suffix == ".xml":
                model = mujoco.MjModel.from_xml_path(str(files[name]))
        elif name in texts:
            asset = bare(from_text(name, texts[name]))
            if name not in ("mix", "arm"):  # their fixed base is MuJoCo's world, which cannot be moved
                model = mujoco.MjModel.from_xml_string(texts[name])
        else:
            links, fixed = TREES[name]
            asset = random_tree(np.random.default_rng(NAMES.index(name)), links, fixed)
        assets.append(asset)
        oracles.append(Oracle(asset, model))
    return assets, oracles


@lru_cache(maxsize=4)
def world(device: str, precision: Precision) -> BatchWorld:
    """32 states of every model, compiled once."""
    return BatchWorld(models()[0], 32, device, precision)
