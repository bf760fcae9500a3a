"""torch_utils against scipy and closed forms; and that TorchScript takes it."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from isaacgym import torch_utils as tu


@pytest.fixture
def random(device):
    """Twenty rotations (as scipy's, and as tensors) and vectors."""
    generator = np.random.default_rng(0)
    a, b = (Rotation.random(20, rng=generator) for _ in range(2))
    v = generator.normal(size=(20, 3))

    def to(x):
        return torch.tensor(x, dtype=torch.float32, device=device)

    return a, b, v, to(a.as_quat()), to(b.as_quat()), to(v)


def close(x, expected, atol=1e-5):
    np.testing.assert_allclose(x.cpu().numpy(), expected, atol=atol)


def same_rotation(x, expected):
    close(torch.tensor(Rotation.from_quat(x.cpu().numpy()).as_matrix()), expected.as_matrix())


def test_products_and_rotations(random):
    a, b, v, qa, qb, tv = random
    same_rotation(tu.quat_mul(qa, qb), a * b)
    close(tu.quat_rotate(qa, tv), a.apply(v))
    close(tu.quat_apply(qa, tv), a.apply(v))
    close(tu.get_basis_vector(qa, tv), a.apply(v))
    close(tu.quat_rotate_inverse(qa, tv), a.inv().apply(v))
    same_rotation(tu.quat_conjugate(qa), a.inv())
    same_rotation(tu.quat_unit(3 * qa), a)
    assert tu.quat_apply(qa.view(4, 5, 4), tv.view(4, 5, 3)).shape == (4, 5, 3)
    assert tu.quat_mul(qa.view(4, 5, 4), qb.view(4, 5, 4)).shape == (4, 5, 4)
    with pytest.raises(AssertionError):
        tu.quat_mul(qa, qb[:1])


def test_transforms(random):
    a, b, v, qa, qb, tv = random
    t = tv.flip(0)
    moved = a.apply(v) + v[::-1]
    close(tu.tf_apply(qa, t, tv), moved)
    close(tu.tf_vector(qa, tv), a.apply(v))
    qi, ti = tu.tf_inverse(qa, t)
    close(tu.tf_apply(qi, ti, tu.tf_apply(qa, t, tv)), v)
    q, p = tu.tf_combine(qa, t, qb, tv)
    same_rotation(q, a * b)
    close(p, moved)


def test_angles(random, device):
    a, _, _, qa, _, _ = random
    roll, pitch, yaw = tu.get_euler_xyz(qa)
    expected = a.as_euler("xyz") % (2 * math.pi)
    close(torch.stack([roll, pitch, yaw], -1), expected, 1e-4)
    same_rotation(tu.quat_from_euler_xyz(roll, pitch, yaw), a)
    angle, axis = torch.tensor([0.5, -1.0], device=device), torch.tensor([[0, 0, 2.0], [1, 1, 0]], device=device)
    expected = Rotation.from_rotvec([[0, 0, 0.5], [-(0.5**0.5), -(0.5**0.5), 0]])
    same_rotation(tu.quat_from_angle_axis(angle, axis), expected)
    wrapped = tu.normalize_angle(torch.tensor([0.0, 4.0, -4.0, 7.0], device=device))
    close(wrapped, [0, 4 - 2 * math.pi, 2 * math.pi - 4, 7 - 2 * math.pi])


def test_the_poles(device):
    half = 0.5**0.5
    q = torch.tensor([[0, half, 0, half], [0, -half, 0, half]], device=device)
    _, pitch, _ = tu.get_euler_xyz(q)
    close(pitch, [math.pi / 2, 3 * math.pi / 2], 1e-3)


def test_small_things(device):
    x = torch.tensor([[3.0, 4.0], [0.0, 0.0]], device=device)
    close(tu.normalize(x), [[0.6, 0.8], [0, 0]])
    assert tu.get_axis_params(1.0, 2) == [0, 0, 1]
    assert tu.get_axis_params(5.0, 1, x_value=-1.0, n_dims=4) == [-1, 5, 0, 0]
    assert tu.get_axis_params(5.0, 0) == [0, 0, 0]  # as the original
    assert tu.get_axis_params(2.7, 1, dtype=int) == [0, 2, 0]
    close(tu.copysign(2.0, torch.tensor([-3.0, 5.0], device=device)), [-2, 2])
    low, high = torch.tensor([-1.0, 0.0], device=device), torch.tensor([3.0, 10.0], device=device)
    close(tu.tensor_clamp(torch.tensor([5.0, -1.0], device=device), low, high), [3, 0])
    close(tu.scale(torch.tensor([0.0, 1.0], device=device), low, high), [1, 10])
    close(tu.unscale(torch.tensor([1.0, 10.0], device=device), low, high), [0, 1])
    assert tu.unscale_np(np.array([1.0]), -1.0, 3.0).tolist() == [0]


def test_random_numbers(device):
    torch.manual_seed(0)
    x = tu.torch_rand_float(-2.0, 3.0, (200, 50), device)
    assert (x.shape, x.device.type) == ((200, 50), torch.device(device).type)
    assert -2.0 <= x.min().item() < -1.9
    assert 2.9 < x.max().item() < 3.0
    d = tu.torch_random_dir_2((100, 1), device)
    assert d.shape == (100, 2)
    close(d.norm(dim=-1), np.ones(100))
    assert d.mean(dim=0).abs().max().item() < 0.3


def test_to_torch(device):
    x = tu.to_torch([1, 2], device=device)
    assert (x.dtype, x.device.type, x.requires_grad) == (torch.float32, torch.device(device).type, False)
    assert tu.to_torch(np.array([1]), dtype=torch.long, device=device).dtype == torch.long
    copy = tu.to_torch(x, device=device, requires_grad=True)
    assert copy.requires_grad
    assert copy.data_ptr() != x.data_ptr()
    assert tu.to_torch([1.0]).device.type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_heading_and_up(random, device):
    a, b, v, qa, qb, tv = random
    forward, up = (torch.tensor([row], device=device).repeat(20, 1) for row in ([1.0, 0, 0], [0.0, 0, 1]))
    quat, up_proj, heading_proj, up_vec, heading_vec = tu.compute_heading_and_up(qa, qb, tv, forward, up, 2)
    torso = a * b
    same_rotation(quat, torso)
    close(up_vec, torso.apply([0, 0, 1]))
    close(heading_vec, torso.apply([1, 0, 0]))
    close(up_proj, torso.apply([0, 0, 1])[:, 2])
    close(heading_proj, (torso.apply([1, 0, 0]) * v / np.linalg.norm(v, axis=1, keepdims=True)).sum(1))


def test_rot(random):
    a, _, v, qa, _, tv = random
    velocity, spin, roll, pitch, yaw, angle = tu.compute_rot(qa, tv, 2 * tv, tv, torch.zeros_like(tv))
    close(velocity, a.inv().apply(v))
    close(spin, 2 * a.inv().apply(v))
    euler = a.as_euler("xyz") % (2 * math.pi)
    close(torch.stack([roll, pitch, yaw], -1), euler, 1e-4)
    close(angle, np.arctan2(v[:, 2], v[:, 0]) - euler[:, 2], 1e-4)


@torch.jit.script
def scripted(q: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    heading = tu.quat_rotate_inverse(q, v) + tu.quat_apply(q, v) + tu.quat_rotate(q, v)
    roll, pitch, yaw = tu.get_euler_xyz(tu.quat_mul(q, tu.quat_conjugate(q)))
    bounds = tu.tensor_clamp(tu.scale(heading, -v.abs(), v.abs()), -v.abs(), v.abs())
    noise = tu.torch_rand_float(0.0, 0.0, (q.shape[0], 3), str(q.device))
    return bounds + noise + (roll + pitch + yaw).unsqueeze(-1) * 0.0 + tu.normalize_angle(heading) * 0.0


def test_clients_script_their_rewards_with_it(random):
    _, _, _, qa, _, tv = random
    assert torch.isfinite(scripted(qa, tv)).all()
    for name in ("tf_combine", "tf_inverse", "compute_heading_and_up", "compute_rot", "quat_from_euler_xyz", "unscale",
                 "quat_from_angle_axis", "get_basis_vector"):  # fmt: skip
        torch.jit.script(getattr(tu, name))


def test_star_import_gives_what_clients_use():
    names: dict = {}
    exec("from isaacgym.torch_utils import *", names)
    for name in ("torch", "np", "F", "to_torch", "quat_mul", "get_axis_params", "torch_rand_float"):
        assert name in names
    assert "annotations" not in names  # a future import would change the client's own module
