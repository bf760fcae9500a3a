"""Small robots of known numbers, and what the tests do with scenes made of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from isaacgym import gymapi, gymtorch

ARM = """<robot name="arm">
  <link name="base"/>
  <link name="upper">
    <inertial><origin xyz="0 0 0.2"/><mass value="2"/>
      <inertia ixx="0.02" iyy="0.02" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><origin xyz="0 0 0.2"/><geometry><sphere radius="0.05"/></geometry></collision>
  </link>
  <link name="hand">
    <inertial><mass value="1"/><inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>
    <collision><geometry><sphere radius="0.05"/></geometry></collision>
  </link>
  <link name="tip">
    <inertial><mass value="0.5"/><inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>
  </link>
  <joint name="shoulder" type="revolute">
    <parent link="base"/><child link="upper"/><origin xyz="0 0 1"/><axis xyz="0 1 0"/>
    <limit lower="-2" upper="2" effort="100" velocity="20"/><dynamics damping="0.1" friction="0"/>
  </joint>
  <joint name="slide" type="prismatic">
    <parent link="upper"/><child link="hand"/><origin xyz="0 0 0.4"/><axis xyz="0 0 1"/>
    <limit lower="-0.1" upper="0.3" effort="50" velocity="2"/>
  </joint>
  <joint name="weld" type="fixed"><parent link="hand"/><child link="tip"/><origin xyz="0 0 0.1"/></joint>
</robot>"""
"""Hanging from 1 m: a hinge about y, a slide along z, a welded tip; fixed by its asset options."""

WALKER = """<mujoco model="walker">
  <option timestep="0.01"/>
  <default><motor ctrllimited="true" ctrlrange="-1 1"/></default>
  <worldbody>
    <body name="trunk" pos="0 0 0.5">
      <freejoint name="root"/>
      <geom name="ball" type="sphere" size="0.1" mass="2"/>
      <body name="left" pos="0 0.1 0">
        <joint name="left_hip" type="hinge" axis="0 1 0" range="-45 45" armature="0.01" damping="0.2" stiffness="1"/>
        <geom type="capsule" fromto="0 0 0 0 0 -0.2" size="0.03" mass="0.5"/>
      </body>
      <body name="right" pos="0 -0.1 0">
        <joint name="right_hip" type="hinge" axis="0 1 0" range="-45 45" armature="0.01"/>
        <geom type="capsule" fromto="0 0 0 0 0 -0.2" size="0.03" mass="0.5"/>
      </body>
    </body>
  </worldbody>
  <tendon><fixed name="both"><joint joint="left_hip" coef="1"/><joint joint="right_hip" coef="-1"/></fixed></tendon>
  <actuator>
    <motor name="right_motor" joint="right_hip" gear="15"/>
    <motor name="left_motor" joint="left_hip" gear="10"/>
  </actuator>
</mujoco>"""
"""A floating trunk with two legs, two motors in the other order than their joints, and a fixed tendon."""


def sim_params(device: str, **fields: Any) -> gymapi.SimParams:
    """z up, 100 steps a second, on the device of the tests."""
    params = gymapi.SimParams()
    params.dt, params.substeps = 0.01, 2
    params.up_axis = gymapi.UP_AXIS_Z
    params.gravity = gymapi.Vec3(0, 0, -9.81)
    params.use_gpu_pipeline = params.physx.use_gpu = device != "cpu"
    params.physx.rest_offset = 0.0
    for name, value in fields.items():
        setattr(params, name, value)
    return params


def tensor(scene: SimpleNamespace, kind: str) -> torch.Tensor:
    """The wrapped tensor of a kind: "actor_root_state" ..., refreshed."""
    out = gymtorch.wrap_tensor(getattr(scene.gym, f"acquire_{kind}_tensor")(scene.sim))
    assert getattr(scene.gym, f"refresh_{kind}_tensor")(scene.sim)
    return out


def step(scene: SimpleNamespace, count: int = 1) -> None:
    """Simulate and wait."""
    for _ in range(count):
        scene.gym.simulate(scene.sim)
    scene.gym.fetch_results(scene.sim, True)
