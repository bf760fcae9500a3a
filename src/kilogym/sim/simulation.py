"""A simulation: what a user declares, steps, reads and sets. The rest of this package serves it.

Orders. "Sim order" is envs as created, then the env's actors as created, then body, DOF or sensor order
in the actor. A, D, B, S are the numbers of actors, DOFs, bodies and force sensors of the whole simulation. An
actor is named either by (env, actor), its index in its env, or by its sim index, its row in `root_states`.

Frames. Positions are relative to the env's origin, axes are the global ones, quaternions xyzw. The 13 numbers
of a root or body state are: position of the body frame's origin [m], quaternion, velocity of the com
[m/s], angular velocity [rad/s].

Tensors are allocated once and written in place by `refresh_*`; edits of them change nothing until a setter is
called. Setters act at once, in the order of the calls, as many per step as wanted. Nothing here but what says
so reads the device from the host, so steps, refreshes and setters can be captured in a CUDA graph.
"""

from __future__ import annotations

from kilogym.sim.declaration_calls import DeclarationCalls
from kilogym.sim.fault_calls import FaultCalls
from kilogym.sim.index_calls import IndexCalls
from kilogym.sim.property_calls import PropertyCalls
from kilogym.sim.save_calls import SaveCalls
from kilogym.sim.setter_calls import SetterCalls
from kilogym.sim.tensor_calls import TensorCalls


class Simulation(
    DeclarationCalls,
    IndexCalls,
    TensorCalls,
    SetterCalls,
    PropertyCalls,
    SaveCalls,
    FaultCalls,
):
    """Many envs on one device.

    Args:
        params: Step, solver and policies; copied.
        device: "cpu", "cuda" or "cuda:N".

    Use: `add_ground`, then `create_env` and `create_actor` for each env, property setters; `prepare`; then
    `set_*`, `step`, `refresh_*` in any order.
    """
