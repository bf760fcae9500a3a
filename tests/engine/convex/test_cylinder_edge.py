"""A cylinder against an edge of terrain, in closed form (native/cylinder_edge.h), beside a search over directions."""

import numpy as np
import pytest


def kept_apart(size: np.ndarray, start: np.ndarray, along: np.ndarray, n: np.ndarray) -> np.ndarray:
    """How far planes across n (m, 3) keep one cylinder and one edge apart: (m,)."""
    support = size[0] * np.hypot(n[:, 0], n[:, 1]) + size[1] * np.abs(n[:, 2])
    return -support - np.maximum(n @ start, n @ (start + along))


def searched(size: np.ndarray, start: np.ndarray, along: np.ndarray, rng: np.random.Generator) -> float:
    """The signed distance: over the whole sphere, then ever closer about the best direction."""
    i = np.arange(4000) + 0.5
    z, turn = 1 - 2 * i / len(i), i * 2.399963229728653
    n = np.stack([np.sqrt(1 - z * z) * np.cos(turn), np.sqrt(1 - z * z) * np.sin(turn), z], axis=1)
    far = kept_apart(size, start, along, n)
    best, most = n[far.argmax()], far.max()
    for width in 0.06 * 0.6 ** np.arange(32):
        near = best + rng.normal(size=(200, 3)) * width
        near /= np.linalg.norm(near, axis=1, keepdims=True)
        far = kept_apart(size, start, along, near)
        if far.max() > most:
            best, most = near[far.argmax()], far.max()
    return float(most)


def drawn(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cylinders from discs to rods, edges far, near, across, alongside and through."""
    rng = np.random.default_rng(0)
    size = 0.1 * 10.0 ** rng.uniform(-0.7, 0.7, (count, 2))
    reach = size.sum(1, keepdims=True) * rng.choice([0.6, 1.2, 2.5], (count, 1))
    start, along = rng.uniform(-1, 1, (count, 3)) * reach, rng.uniform(-1, 1, (count, 3)) * reach
    along *= rng.choice([1.0, 3.0], (count, 1))
    along[::7, :2] *= 1e-3  # alongside
    along[::11, 2] *= 1e-4  # across
    return size, start, along


def test_the_best_plane(narrow):
    size, start, along = drawn(400)
    found = narrow["float"].cylinder_edge(size, start, along).astype(float)
    np.testing.assert_allclose(np.linalg.norm(found[:, :3], axis=1), 1.0, atol=1e-5)
    rng = np.random.default_rng(1)
    best = np.array([searched(*row, rng) for row in zip(size, start, along, strict=True)])
    own = np.array([kept_apart(*row, n[None])[0] for *row, n in zip(size, start, along, found[:, :3], strict=True)])
    extent = size.sum(1)
    np.testing.assert_allclose(found[:, 3], own, atol=2e-6 * extent.max())  # it is what its normal says
    behind = (best - found[:, 3]) / extent
    shallow = best > -0.5 * size.min(1)  # deeper, the ellipse has several nearest points
    assert behind[shallow].max() < 3e-4
    assert np.quantile(behind, 0.99) < 1e-4
    assert behind.max() < 0.05


@pytest.mark.parametrize(
    ("start", "along", "normal", "gap"),
    [
        ((-1.0, 0.0, 0.6), (2.0, 0.0, 0.0), (0, 0, -1), 0.1),  # over the cap
        ((0.5, 0.0, -1.0), (0.0, 0.0, 2.0), (-1, 0, 0), 0.2),  # along the round side
        ((-1.0, 0.7, 0.0), (2.0, 0.0, 0.0), (0, -1, 0), 0.4),  # across it
        ((0.6, 0.0, 0.9), (1.0, 0.0, 1.0), (-0.6, 0, -0.8), 0.5),  # an end, over the rim
        ((0.4, -1.0, 0.6), (0.0, 2.0, 0.0), (-(0.5**0.5), 0, -(0.5**0.5)), 0.1 * 2**0.5),  # past the rim
        ((0.2, 0.0, 0.0), (3.0, 0.0, 0.0), (-1, 0, 0), -0.1),  # an end within
    ],
)
def test_known_places(narrow, start, along, normal, gap):
    """A cylinder of radius 0.3 and half length 0.5."""
    found = narrow["float"].cylinder_edge(np.array([[0.3, 0.5]]), np.array([start]), np.array([along]))[0]
    np.testing.assert_allclose(found[3], gap, atol=1e-5)
    np.testing.assert_allclose(found[:3], normal, atol=2e-3)
