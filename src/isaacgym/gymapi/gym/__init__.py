"""`Gym`: the methods of the API, one module per section.

Each method checks its arguments and delegates to `kilogym.sim.Simulation`. Not all are built: `status.MISSING` and
`status.WITHOUT_EFFECT` list those that raise NotImplementedError and those that are accepted without an effect.
"""

from __future__ import annotations

from isaacgym.gymapi.gym.actor_properties import PropertyCalls
from isaacgym.gymapi.gym.actors import ActorCalls
from isaacgym.gymapi.gym.asset_info import AssetInfoCalls
from isaacgym.gymapi.gym.assets import AssetCalls
from isaacgym.gymapi.gym.attractors import AttractorCalls
from isaacgym.gymapi.gym.classic_states import ClassicStateCalls
from isaacgym.gymapi.gym.controls import ControlCalls
from isaacgym.gymapi.gym.envs import EnvCalls
from isaacgym.gymapi.gym.graphics import GraphicsCalls
from isaacgym.gymapi.gym.simulation import SimulationCalls
from isaacgym.gymapi.gym.tensors import AcquireCalls, RefreshCalls, SetTensorCalls
from isaacgym.gymapi.gym.usd import UsdCalls
from isaacgym.gymapi.gym.viewer_calls import ViewerCalls


class Gym(
    SimulationCalls,
    EnvCalls,
    AssetCalls,
    AssetInfoCalls,
    ActorCalls,
    PropertyCalls,
    ClassicStateCalls,
    ControlCalls,
    AttractorCalls,
    AcquireCalls,
    RefreshCalls,
    SetTensorCalls,
    ViewerCalls,
    GraphicsCalls,
    UsdCalls,
):
    """The API. There is one, which `gymapi.acquire_gym` returns; it has no state of its own."""
