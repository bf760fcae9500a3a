"""Domain randomisation of properties through the classic calls, as Isaac Gym's clients configure it.

A randomisation is a dict: "range" (two numbers), "operation" ("scaling" or "additive"), "distribution"
("uniform", "loguniform" or "gaussian", whose range is mean and variance), and optionally "schedule" ("linear" or
"constant") with "schedule_steps", and "num_buckets".
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from isaacgym import gymapi

_KINDS = ("dof_properties", "tendon_properties", "rigid_body_properties", "rigid_shape_properties")


def get_property_setter_map(gym: Any) -> dict[str, Any]:
    """The call that sets each kind of property."""
    return {**{kind: getattr(gym, f"set_actor_{kind}") for kind in _KINDS}, "sim_params": gym.set_sim_params}


def get_property_getter_map(gym: Any) -> dict[str, Any]:
    """The call that gets each kind of property."""
    return {**{kind: getattr(gym, f"get_actor_{kind}") for kind in _KINDS}, "sim_params": gym.get_sim_params}


def get_default_setter_args(gym: Any) -> dict[str, list[Any]]:
    """What to pass to each setter after the properties: masses come with recomputed inertias."""
    return {**{kind: [] for kind in _KINDS}, "rigid_body_properties": [True], "sim_params": []}


def generate_random_samples(
    attr_randomization_params: Mapping[str, Any],
    shape: Any,
    curr_gym_step_count: int,
    extern_sample: Any = None,
) -> Any:
    """Draw numbers of a randomisation at a step of its schedule, from numpy's global generator.

    Args:
        attr_randomization_params: See the module. shape: Of the result.
        curr_gym_step_count: Step, for the schedule.
        extern_sample: For "uniform": numbers in 0..1 to use instead of drawing.
    """
    params = attr_randomization_params
    low, high = (float(value) for value in params["range"])
    distribution, operation = params["distribution"], params["operation"]
    if operation not in ("scaling", "additive"):
        raise ValueError(f"operation: expected 'scaling' or 'additive', got {operation!r}")
    part = _scheduled(params, curr_gym_step_count)
    # at part 0 nothing changes: add 0, scale by 1
    neutral = 0.0 if operation == "additive" else 1.0 - part
    if distribution == "gaussian":
        mean, variance = low * part + neutral, high * part
        return np.random.normal(mean, math.sqrt(variance), shape)
    low, high = low * part + neutral, high * part + neutral
    if distribution == "loguniform":
        return np.exp(np.random.uniform(math.log(low), math.log(high), shape))
    if distribution == "uniform":
        drawn = np.random.uniform(0.0, 1.0, shape) if extern_sample is None else extern_sample
        return low + (high - low) * drawn
    raise ValueError(f"distribution: expected 'uniform', 'loguniform' or 'gaussian', got {distribution!r}")


def _scheduled(params: Mapping[str, Any], step: int) -> float:
    """How much of the randomisation is in force, 0..1."""
    schedule = params.get("schedule")
    if schedule == "linear":
        return min(step, params["schedule_steps"]) / params["schedule_steps"]
    if schedule == "constant":
        return 0.0 if step < params["schedule_steps"] else 1.0
    return 1.0


def get_bucketed_val(new_prop_val: Any, attr_randomization_params: Mapping[str, Any]) -> float:
    """The lower edge of the bucket that a value falls in; "num_buckets" of them divide the range."""
    low, high = (float(value) for value in attr_randomization_params["range"])
    if attr_randomization_params["distribution"] != "uniform":
        spread = 2.0 * math.sqrt(high)
        low, high = low - spread, low + spread
    count = attr_randomization_params["num_buckets"]
    edges = [low + (high - low) * i / count for i in range(count)]
    return edges[max(bisect.bisect(edges, float(np.asarray(new_prop_val).reshape(-1)[0])) - 1, 0)]


def apply_random_samples(
    prop: Any,
    og_prop: Any,
    attr: str,
    attr_randomization_params: Mapping[str, Any],
    curr_gym_step_count: int,
    extern_sample: Any = None,
) -> None:
    """Randomise one attribute in place.

    Args:
        prop: SimParams (attributes "gravity" and "rest_offset"), an array of DOF properties, or a property object.
        og_prop: The values before any randomisation: attribute -> value, or an array like `prop`.
        attr: Attribute or field.
        attr_randomization_params: See the module.
        curr_gym_step_count: Step, for the schedule.
        extern_sample: Passed to `generate_random_samples`.
    """
    params = attr_randomization_params

    def drawn(shape: Any) -> Any:
        return generate_random_samples(params, shape, curr_gym_step_count, extern_sample)

    def changed(old: Any, sample: Any) -> Any:
        return old * sample if params["operation"] == "scaling" else old + sample

    if isinstance(prop, gymapi.SimParams):
        if attr == "gravity":
            old = og_prop["gravity"]
            new = changed(np.array([old.x, old.y, old.z]), drawn(3))
            prop.gravity = gymapi.Vec3(*new)
        elif attr == "rest_offset":
            prop.physx.rest_offset = float(np.asarray(drawn(1)).reshape(-1)[0])
        return
    if isinstance(prop, np.ndarray):
        prop[attr] = changed(og_prop[attr], drawn(og_prop[attr].shape))
        return
    value = float(np.asarray(changed(og_prop[attr], drawn(1))).reshape(-1)[0])
    if params.get("num_buckets", 0) > 0:
        value = get_bucketed_val(value, params)
    setattr(prop, attr, value)


def check_buckets(gym: Any, envs: Any, dr_params: Mapping[str, Any]) -> None:
    """Accept any number of buckets: the original's limit of 64 000 materials does not exist here."""
