"""Gym, section "graphics, cameras, appearance". Colours are kept for drawing; camera sensors are not built yet."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from isaacgym.gymapi.constants import INVALID_HANDLE
from isaacgym.gymapi.enums import CameraFollowMode, ImageType, MeshType
from isaacgym.gymapi.gym.checks import actor_decl, as_sim, pick, vec3
from isaacgym.gymapi.gym.status import missing, on_failure, without_effect
from isaacgym.gymapi.handles import Env, Sim
from isaacgym.gymapi.math_types import Transform, Vec3
from isaacgym.gymapi.params import CameraProperties
from isaacgym.gymapi.tensor import Tensor

_CAMERAS = "camera sensors are not built yet; kilogym.viewer draws pictures of a simulation"
_TEXTURES = "textures are accepted and not drawn"
_WHITE = (1.0, 1.0, 1.0)
_MESHES = (int(MeshType.MESH_VISUAL), int(MeshType.MESH_COLLISION))


class GraphicsCalls:
    """Looks of bodies; cameras. All of it is safe without a graphics device."""

    def step_graphics(self, sim: Sim) -> None:
        """Accepted: pictures are drawn from the live state."""
        as_sim(sim)

    @without_effect("there are no camera sensors to render")
    def render_all_camera_sensors(self, sim: Sim) -> None:
        """Accepted: there are no camera sensors."""
        as_sim(sim)

    @without_effect("there are no image tensors to guard")
    def start_access_image_tensors(self, sim: Sim) -> None:
        """Accepted."""
        as_sim(sim)

    @without_effect("there are no image tensors to guard")
    def end_access_image_tensors(self, sim: Sim) -> None:
        """Accepted."""
        as_sim(sim)

    @missing(_CAMERAS)
    def create_camera_sensor(self, env: Env, props: CameraProperties) -> int:
        """Make a camera."""
        raise AssertionError

    @missing(_CAMERAS)
    def destroy_camera_sensor(self, sim: Sim, env: Env, camera: int) -> None:
        """Free a camera."""

    @missing(_CAMERAS)
    def set_camera_location(self, camera: int, env: Env, pos: Vec3, target: Vec3) -> None:
        """Place a camera."""

    @missing(_CAMERAS)
    def set_camera_transform(self, camera: int, env: Env, transform: Transform) -> None:
        """Place a camera."""

    @missing(_CAMERAS)
    def attach_camera_to_body(
        self, camera: int, env: Env, body_handle: int, local: Transform, mode: CameraFollowMode
    ) -> None:
        """Mount a camera on a body."""

    @missing(_CAMERAS)
    def get_camera_transform(self, sim: Sim, env: Env, camera: int) -> Transform:
        """Pose of a camera."""
        raise AssertionError

    @missing(_CAMERAS)
    def get_camera_view_matrix(self, sim: Sim, env: Env, camera: int) -> np.ndarray:
        """View matrix of a camera."""
        raise AssertionError

    @missing(_CAMERAS)
    def get_camera_proj_matrix(self, sim: Sim, env: Env, camera: int) -> np.ndarray:
        """Projection matrix of a camera."""
        raise AssertionError

    @missing(_CAMERAS)
    def get_camera_image(self, sim: Sim, env: Env, camera: int, type: ImageType) -> np.ndarray:
        """Picture of a camera."""
        raise AssertionError

    @missing(_CAMERAS)
    def get_camera_image_gpu_tensor(self, sim: Sim, env: Env, camera: int, type: ImageType) -> Tensor:
        """Picture of a camera as a tensor."""
        raise AssertionError

    @missing(_CAMERAS)
    def write_camera_image_to_file(self, sim: Sim, env: Env, camera: int, type: ImageType, filename: str) -> None:
        """Write a picture of a camera."""

    # ---- looks -------------------------------------------------------------------------------------------

    @on_failure(None)
    def set_rigid_body_color(self, env: Env, actor: int, body: int, mesh: MeshType, color: Vec3) -> None:
        """Colour a body, RGB in 0..1; `body` is its index in the actor."""
        decl = actor_decl(env, actor)
        pick(decl.asset.links, body, f"body of actor {decl.name!r}")
        rgb = vec3(color)
        for bit in _bits(mesh):
            env.sim.looks[env.index, actor, body, bit] = rgb
            if bit == MeshType.MESH_VISUAL:
                decl.colors[body] = rgb

    def get_rigid_body_color(self, env: Env, actor: int, body: int, mesh: MeshType) -> Vec3:
        """The colour set, white if none was."""
        decl = actor_decl(env, actor)
        pick(decl.asset.links, body, f"body of actor {decl.name!r}")
        bits = _bits(mesh)
        return Vec3(*(env.sim.looks.get((env.index, actor, body, bits[0]), _WHITE) if bits else _WHITE))

    @without_effect(_TEXTURES)
    @on_failure(None)
    def set_rigid_body_texture(self, env: Env, actor: int, body: int, mesh: MeshType, texture: int) -> None:
        """Give a body a texture."""
        decl = actor_decl(env, actor)
        pick(decl.asset.links, body, f"body of actor {decl.name!r}")
        if texture not in env.sim.textures:
            raise ValueError(f"texture: expected a handle of create_texture_from_..., got {texture}")
        for bit in _bits(mesh):
            env.sim.body_textures[env.index, actor, body, bit] = texture

    def get_rigid_body_texture(self, env: Env, actor: int, body: int, mesh: MeshType) -> int:
        """Handle of the texture set, -1 if none was."""
        actor_decl(env, actor)
        bits = _bits(mesh)
        return env.sim.body_textures.get((env.index, actor, body, bits[0]), -1) if bits else INVALID_HANDLE

    @without_effect(_TEXTURES)
    @on_failure(INVALID_HANDLE)
    def create_texture_from_file(self, sim: Sim, filename: str) -> int:
        """Handle of a picture file; -1 without a graphics device or file."""
        _need_graphics(sim)
        if not os.path.isfile(filename):
            raise ValueError(f"texture: expected a jpg, png or bmp file, there is no {filename!r}")
        return _new_texture(sim, filename)

    @without_effect(_TEXTURES)
    @on_failure(INVALID_HANDLE)
    def create_texture_from_buffer(self, sim: Sim, width: int, height: int, pixels: np.ndarray) -> int:
        """Handle of a picture of packed RGBA bytes, (height, 4 * width); -1 without a graphics device."""
        _need_graphics(sim)
        if np.asarray(pixels).size != 4 * width * height:
            raise ValueError(f"texture: expected {height} rows of {4 * width} bytes, got shape {np.shape(pixels)}")
        return _new_texture(sim, f"{width}x{height} pixels")

    @on_failure(None)
    def free_texture(self, sim: Sim, texture: int) -> None:
        """Forget a texture."""
        if as_sim(sim).textures.pop(texture, None) is None:
            raise ValueError(f"texture: expected a handle of create_texture_from_..., got {texture}")

    def reset_actor_materials(self, env: Env, actor: int, mesh: MeshType) -> None:
        """Back to the asset's colours and textures."""
        decl = actor_decl(env, actor)
        bits = _bits(mesh)
        for body in range(len(decl.asset.links)):
            for bit in bits:
                env.sim.looks.pop((env.index, actor, body, bit), None)
                env.sim.body_textures.pop((env.index, actor, body, bit), None)
            if MeshType.MESH_VISUAL in bits:
                decl.colors.pop(body, None)

    @on_failure(None)
    def set_rigid_body_segmentation_id(self, env: Env, actor: int, body: int, id: int) -> None:
        """Number of a body in segmentation images."""
        decl = actor_decl(env, actor)
        pick(decl.asset.links, body, f"body of actor {decl.name!r}")
        if not 0 <= id < 2**32:
            raise ValueError(f"segmentation id: expected 0 <= id < 2**32, got {id}")
        decl.body_segmentation_ids[body] = int(id)

    def get_rigid_body_segmentation_id(self, env: Env, actor: int, body: int) -> int:
        """Number of a body in segmentation images; the actor's if the body has none of its own."""
        decl = actor_decl(env, actor)
        pick(decl.asset.links, body, f"body of actor {decl.name!r}")
        return decl.body_segmentation_ids.get(body, decl.segmentation_id)

    @without_effect("lights are kept and not drawn")
    @on_failure(None)
    def set_light_parameters(self, sim: Sim, index: int, intensity: Vec3, ambient: Vec3, direction: Vec3) -> None:
        """Keep one of the lights 0 to 3."""
        if not 0 <= index < 4:
            raise ValueError(f"light: expected an index of 0 to 3, got {index}")
        as_sim(sim).lights[index] = vec3(intensity), vec3(ambient), vec3(direction)


def _bits(mesh: Any) -> list[int]:
    return [bit for bit in _MESHES if int(mesh) & bit]


def _need_graphics(sim: Sim) -> None:
    if as_sim(sim).graphics_device < 0:
        raise ValueError("create_sim was given graphics_device -1: expected 0 or more for textures")


def _new_texture(sim: Sim, source: str) -> int:
    handle = sim.new_handle()
    sim.textures[handle] = source
    return handle
