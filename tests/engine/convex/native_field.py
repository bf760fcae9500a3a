"""Native distances of fields and of shapes of closed form (native/sdf.h, sdf_distances.h), compiled with g++."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
from narrow import CPP, KINDS

from kilogym.assets.distance_field import DistanceField
from kilogym.engine.build import NATIVE
from kilogym.engine.hulls import Hull, by_fours
from kilogym.engine.sdf import Field, pack_fields
from kilogym.engine.tables import SHAPE_ENUM

CALLS = """
struct Reals { const Real* data; };
struct Ints { const int* data; };
struct Args { Reals sdf_reals; Ints sdf_ints; };
static Vec3 at(const Real* x) { return v3(x[0], x[1], x[2]); }
static void put(Real* to, Vec3 v) { to[0] = v.x; to[1] = v.y; to[2] = v.z; }
extern "C" {
void field(int count, const Real* reals, const int* ints, const Real* x, Real* d, Real* slope, Real* error) {
    const Sdf f = sdf_of(Args{{reals}, {ints}}, 0);
    for (int i = 0; i < count; ++i) {
        Vec3 n;
        d[i] = sdf_distance(f, at(x + 3 * i), n, error[i]);
        put(slope + 3 * i, n);
    }
}
// the foot of each x, looked for from a place
void foot(int count, const Real* reals, const int* ints, const Real* x, const Real* from, Real* out) {
    const Sdf f = sdf_of(Args{{reals}, {ints}}, 0);
    for (int i = 0; i < count; ++i) {
        Vec3 n;
        put(out + 3 * i, sdf_foot(f, at(x + 3 * i), at(from + 3 * i), n));
    }
}
void closed(int count, int kind, const Real* size, const Real* vertex, const Real* normal, const int* face,
            const int* corner, int faces, const Real* x, Real* d, Real* slope) {
    Hull h;
    h.vertex = vertex; h.normal = normal; h.face = face; h.corner = corner; h.faces = faces;
    const Vec3 s = at(size);
    for (int i = 0; i < count; ++i) {
        const Vec3 p = at(x + 3 * i);
        Vec3 n;
        Real least;
        d[i] = kind == SHAPE_BOX ? box_distance(p, s, n) : kind == SHAPE_CYLINDER ? cylinder_distance(p, s.x, s.y, n)
            : kind == SHAPE_ELLIPSOID ? ellipsoid_distance(p, s, n, least) : hull_distance(h, p, n);
        put(slope + 3 * i, n);
    }
}
}
"""


class NativeField:
    """The functions in float32, or float64."""

    def __init__(self, folder: Path, real: str) -> None:
        self.real = np.float64 if real == "double" else np.float32
        has = "".join(f"static constexpr bool HAS_{name.upper()} = true;\n" for name in (*KINDS, "parts"))
        headers = ("scalar", "vec", "convex", "sdf", "sdf_distances")
        text = "\n".join([
            "#include <cmath>\nnamespace wp { using std::sqrt; using std::sin; using std::cos; using std::atan2; }",
            "namespace {", "#define KG_UNROLL 0", f"#define KG_REAL {real}", (NATIVE / "loops.h").read_text(),
            SHAPE_ENUM, has, *((NATIVE / f"{name}.h").read_text() for name in headers), "}", CALLS,
        ])  # fmt: skip
        source, library = folder / f"field_{real}.cpp", folder / f"field_{real}.so"
        source.write_text(text)
        subprocess.run(["g++", *CPP, str(source), "-o", str(library)], check=True)
        self.library = ctypes.CDLL(str(library))

    def _pointers(self, *arrays: np.ndarray) -> list[ctypes.c_void_p]:
        return [ctypes.c_void_p(array.ctypes.data) for array in arrays]

    def field(self, field: DistanceField, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distance (N,), slope (N, 3) and error (N,) at places (N, 3) of the mesh's frame."""
        reals, ints = packed(field)
        at, reals = x.astype(self.real), reals.astype(self.real)
        out = [np.zeros(len(x), self.real), np.zeros((len(x), 3), self.real), np.zeros(len(x), self.real)]
        self.library.field(len(x), *self._pointers(reals, ints, at, *out))
        return out[0], out[1], out[2]

    def foot(self, field: DistanceField, x: np.ndarray, start: np.ndarray) -> np.ndarray:
        reals, ints = packed(field)
        at, begin, reals = x.astype(self.real), start.astype(self.real), reals.astype(self.real)
        out = np.zeros((len(x), 3), self.real)
        self.library.foot(len(x), *self._pointers(reals, ints, at, begin, out))
        return out

    def closed(self, kind: str, size: tuple[float, ...], x: np.ndarray, hull: Hull | None = None) -> list[np.ndarray]:
        """Distance (N,) and slope (N, 3) of a shape of closed form, or of a hull."""
        sizes, at = np.array([*size, 0, 0, 0][:3], self.real), x.astype(self.real)
        tables = [np.zeros(1, self.real)] * 2 + [np.zeros(2, np.int32)] * 2
        if hull is not None:
            tables = [
                *(a.astype(self.real) for a in (by_fours(hull.vertices), by_fours(hull.normals))),
                hull.face_table(),
                hull.corners(),
            ]
        out = [np.zeros(len(x), self.real), np.zeros((len(x), 3), self.real)]
        faces = 0 if hull is None else len(hull.faces)
        self.library.closed(len(x), KINDS[kind], *self._pointers(sizes, *tables), faces, *self._pointers(at, *out))
        return out


def packed(f: DistanceField) -> tuple[np.ndarray, np.ndarray]:
    """The engine's buffers of a field alone, about the mesh's own frame."""
    field = Field(f.origin, f.cell, f.spacing, f.coarse, f.blocks, f.fine, f.points, f.cones, f.starts, f.spheres)
    return pack_fields([field])
