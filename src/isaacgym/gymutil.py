"""Command lines, configs, lines to draw and domain randomisation: what Isaac Gym's examples and clients use."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from isaacgym import gymapi
from isaacgym._lines import (
    AxesGeometry,
    LineGeometry,
    WireframeBBoxGeometry,
    WireframeBoxGeometry,
    WireframeSphereGeometry,
    draw_line,
    draw_lines,
)
from isaacgym._randomization import (
    apply_random_samples,
    check_buckets,
    generate_random_samples,
    get_bucketed_val,
    get_default_setter_args,
    get_property_getter_map,
    get_property_setter_map,
)

__all__ = [
    "AxesGeometry",
    "LineGeometry",
    "WireframeBBoxGeometry",
    "WireframeBoxGeometry",
    "WireframeSphereGeometry",
    "apply_random_samples",
    "check_buckets",
    "draw_line",
    "draw_lines",
    "generate_random_samples",
    "get_bucketed_val",
    "get_default_setter_args",
    "get_property_getter_map",
    "get_property_setter_map",
    "parse_arguments",
    "parse_bool",
    "parse_device_str",
    "parse_flex_config",
    "parse_float_int_bool",
    "parse_physx_config",
    "parse_sim_config",
]

_log = logging.getLogger("isaacgym")


def parse_bool(text: str | bool) -> bool:
    """A truth value written out: true/false, yes/no, t/f, y/n, 1/0, on/off, in any case.

    Raises:
        argparse.ArgumentTypeError: something else.
    """
    if isinstance(text, bool):
        return text
    word = str(text).strip().lower()
    if word in ("true", "yes", "t", "y", "1", "on"):
        return True
    if word in ("false", "no", "f", "n", "0", "off"):
        return False
    raise argparse.ArgumentTypeError(f"expected true or false, got {text!r}")


def parse_device_str(device: str) -> tuple[str, int]:
    """ "cpu" -> ("cpu", 0), "cuda" -> ("cuda", 0), "cuda:N" -> ("cuda", N).

    Raises:
        ValueError: anything else.
    """
    name, colon, index = str(device).partition(":")
    if name in ("cpu", "cuda") and not colon:
        return name, 0
    if name == "cuda" and index.isdecimal():
        return name, int(index)
    raise ValueError(f"device: expected 'cpu', 'cuda' or 'cuda:N', got {device!r}")


def parse_arguments(
    description: str = "Isaac Gym Example",
    headless: bool = False,
    no_graphics: bool = False,
    custom_parameters: Sequence[Mapping[str, Any]] = (),
) -> argparse.Namespace:
    """Parse `sys.argv` with the flags of Isaac Gym's examples; an unknown flag ends the program.

    Without CUDA: the defaults ask for "cuda:0" and the GPU pipeline. On a machine that has none, and only there,
    they become "cpu" and the CPU pipeline, with a logged notice. What the command line asks for in so many words
    is not changed.

    Args:
        description: First line of the help.
        headless: Add --headless. Leave it False when `custom_parameters` has one.
        no_graphics: Add --nographics, which implies headless.
        custom_parameters: Dicts of "name" and "type" or "action", with optional "default" (of a type) and "help".

    Returns:
        Besides the flags: sim_device_type, compute_device_id, use_gpu_pipeline, physics_engine, use_gpu.
    """
    parser = argparse.ArgumentParser(description=description)
    if headless:
        parser.add_argument("--headless", action="store_true", help="run without creating a viewer")
    if no_graphics:
        parser.add_argument("--nographics", action="store_true", help="no graphics at all; implies headless")
    parser.add_argument("--sim_device", type=str, default=None, help="cpu or cuda:N; default cuda:0")
    parser.add_argument("--pipeline", type=str, default=None, help="tensor pipeline: cpu or gpu; default gpu")
    parser.add_argument("--graphics_device_id", type=int, default=0, help="graphics device")
    engine = parser.add_mutually_exclusive_group()
    engine.add_argument("--flex", action="store_true", help="asks for Flex, which is served by the one solver")
    engine.add_argument("--physx", action="store_true", help="the rigid solver (default)")
    parser.add_argument("--num_threads", type=int, default=0, help="CPU threads; no effect here")
    parser.add_argument("--subscenes", type=int, default=0, help="no effect here")
    parser.add_argument("--slices", type=int, default=None, help="client threads; default as --subscenes")
    for parameter in custom_parameters:
        _add_custom(parser, parameter)
    return _derive(parser.parse_args(), parser)


def _add_custom(parser: argparse.ArgumentParser, parameter: Mapping[str, Any]) -> None:
    name, text = parameter.get("name"), parameter.get("help", "")
    if name and "type" in parameter:
        parser.add_argument(name, type=parameter["type"], default=parameter.get("default"), help=text)
    elif name and "action" in parameter:
        parser.add_argument(name, action=parameter["action"], help=text)
    else:
        _log.error("parse_arguments: expected 'name' and 'type' or 'action', got %s; skipped", dict(parameter))


def _derive(args: argparse.Namespace, parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Fill in what follows from the flags."""
    if (args.sim_device is None or args.pipeline is None) and not _has_cuda():
        if args.sim_device is None:
            args.sim_device, args.pipeline = "cpu", args.pipeline or "cpu"
            _log.warning("no CUDA device found: simulating on the CPU")
        args.pipeline = args.pipeline or "cpu"
    args.sim_device = args.sim_device or "cuda:0"
    args.pipeline = args.pipeline or "gpu"
    try:
        args.sim_device_type, args.compute_device_id = parse_device_str(args.sim_device)
    except ValueError as error:
        parser.error(f"--sim_device: {error}")
    pipeline = args.pipeline.lower()
    if pipeline not in ("cpu", "gpu", "cuda"):
        parser.error(f"--pipeline: expected cpu or gpu, got {args.pipeline!r}")
    args.use_gpu_pipeline = pipeline in ("gpu", "cuda")
    if args.sim_device_type != "cuda" and args.flex:
        _log.warning("Flex ran on CUDA only: --sim_device is now cuda:0")
        args.sim_device, args.sim_device_type, args.compute_device_id = "cuda:0", "cuda", 0
    if args.sim_device_type != "cuda" and args.use_gpu_pipeline:
        _log.warning("the GPU pipeline needs a CUDA --sim_device: using the CPU pipeline")
        args.pipeline, args.use_gpu_pipeline = "CPU", False
    args.physics_engine = gymapi.SimType.SIM_FLEX if args.flex else gymapi.SimType.SIM_PHYSX
    args.use_gpu = args.sim_device_type == "cuda"
    if getattr(args, "nographics", False):
        args.headless = True
    if args.slices is None:
        args.slices = args.subscenes
    return args


def _has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


_PHYSX_FLOATS = (
    "contact_offset", "rest_offset", "bounce_threshold_velocity", "max_depenetration_velocity",
    "default_buffer_size_multiplier", "friction_correlation_distance", "friction_offset_threshold",
)  # fmt: skip
_PHYSX_INTS = (
    "num_threads", "solver_type", "num_position_iterations", "num_velocity_iterations", "max_gpu_contact_pairs",
    "num_subscenes", "contact_collection",
)  # fmt: skip
_PHYSX_BOOLS = ("use_gpu", "always_use_articulations")
_FLEX_FLOATS = (
    "relaxation", "warm_start", "shape_collision_distance", "shape_collision_margin", "contact_regularization",
    "dynamic_friction", "static_friction", "particle_friction", "geometric_stiffness",
)  # fmt: skip
_FLEX_INTS = (
    "solver_type", "num_outer_iterations", "num_inner_iterations", "friction_mode", "max_rigid_contacts",
    "max_soft_contacts",
)  # fmt: skip
_FLEX_BOOLS = ("deterministic_mode", "return_contacts")


def parse_sim_config(config: Mapping[str, Any], sim_params: gymapi.SimParams) -> None:
    """Set fields of `sim_params` from a mapping as of a YAML file; unknown keys are ignored.

    Args:
        config: Any of dt, substeps, up_axis (0 y, 1 z), gravity (three numbers), use_gpu_pipeline,
            num_client_threads, and mappings "physx" and "flex".
        sim_params: Edited in place.
    """
    parse_float_int_bool(config, sim_params, ("dt",), ("substeps", "num_client_threads"), ("use_gpu_pipeline",))
    if "up_axis" in config:
        sim_params.up_axis = gymapi.UpAxis(int(config["up_axis"]))
    if "gravity" in config:
        gravity = list(config["gravity"])
        if len(gravity) != 3:
            raise ValueError(f"gravity: expected three numbers, got {config['gravity']!r}")
        sim_params.gravity = gymapi.Vec3(*(float(g) for g in gravity))
    if "physx" in config:
        parse_physx_config(config["physx"], sim_params)
    if "flex" in config:
        parse_flex_config(config["flex"], sim_params)


def parse_physx_config(config: Mapping[str, Any], sim_params: gymapi.SimParams) -> None:
    """Set fields of `sim_params.physx` from a mapping; unknown keys are ignored."""
    parse_float_int_bool(config, sim_params.physx, _PHYSX_FLOATS, _PHYSX_INTS, _PHYSX_BOOLS)


def parse_flex_config(config: Mapping[str, Any], sim_params: gymapi.SimParams) -> None:
    """Set fields of `sim_params.flex` from a mapping; unknown keys are ignored."""
    parse_float_int_bool(config, sim_params.flex, _FLEX_FLOATS, _FLEX_INTS, _FLEX_BOOLS)


def parse_float_int_bool(
    config: Mapping[str, Any],
    target: Any,
    float_names: Sequence[str] = (),
    int_names: Sequence[str] = (),
    bool_names: Sequence[str] = (),
) -> None:
    """Set attributes of `target` that `config` has, converted to the type of the list that names them."""
    for names, convert in ((float_names, float), (int_names, int), (bool_names, parse_bool_value)):
        for name in names:
            if name in config:
                setattr(target, name, convert(config[name]))


def parse_bool_value(value: Any) -> bool:
    """A truth value of a config: text is read as by `parse_bool`."""
    return parse_bool(value) if isinstance(value, str) else bool(value)


def _indent_xml(elem: Any, level: int = 0) -> None:
    """Indent an ElementTree in place, two blanks a level."""
    newline = "\n" + level * "  "
    if len(elem):
        if not (elem.text or "").strip():
            elem.text = newline + "  "
        for child in elem:
            _indent_xml(child, level + 1)
            if not (child.tail or "").strip():
                child.tail = newline + "  "
        if not (elem[-1].tail or "").strip() or elem[-1].tail == newline + "  ":
            elem[-1].tail = newline
    if level == 0:
        elem.tail = "\n"
