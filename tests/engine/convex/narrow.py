"""The native narrow phase (native/convex.h to manifold.h) alone, compiled with g++ and called through ctypes."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kilogym.engine.build import NATIVE
from kilogym.engine.hulls import Hull, by_fours
from kilogym.engine.tables import SHAPE_ENUM

HERE = Path(__file__).parent
CPP = ["-x", "c++", "-std=c++17", "-O1", "-fPIC", "-shared", "-w", "-ffp-contract=off"]
KINDS = {name: i for i, name in enumerate(("sphere", "capsule", "box", "cylinder", "ellipsoid", "hull", "triangle"))}
TOUCHES = 4
PHASES = ("convex", "gjk", "epa", "separate", "cylinder_edge", "manifold")


@dataclass
class Placed:
    """A shape. size: as in shape_size, of a sphere its radius first; a hull or triangle has `hull` or `corners`."""

    kind: str
    size: tuple[float, ...] = ()
    pos: tuple[float, ...] = (0.0, 0.0, 0.0)
    quat: tuple[float, ...] = (0.0, 0.0, 0.0, 1.0)
    hull: Hull | None = None
    corners: np.ndarray | None = None
    scale: float = field(default=1.0)


@dataclass
class Result:
    normal: np.ndarray  # unit, from B to A
    gap: float
    a: np.ndarray
    b: np.ndarray
    points: np.ndarray  # (touches, 3)
    gaps: np.ndarray
    numbers: list[int]


class Narrow:
    """`separate` and `touches` in one precision. flags: of the compiler, beyond or in place of CPP."""

    def __init__(self, folder: Path, real: str, flags: Sequence[str] = ()) -> None:
        self.real = np.float64 if real == "double" else np.float32
        c_real = ctypes.c_double if real == "double" else ctypes.c_float
        has = "".join(f"static constexpr bool HAS_{name.upper()} = true;\n" for name in KINDS)
        has += "static constexpr bool HAS_PARTS = false;\n"
        rows = "static constexpr int NP = 0, NV = 1, SV = 0, TV = 1, MAX_CONTACTS1 = 1, NPS = 0;\n"
        contact_rows = (NATIVE / "contact_rows.h").read_text()
        tangents = contact_rows[contact_rows.index("// an impulse along n, t1, t2") :]  # the two functions at its end
        parts = [
            "#include <cmath>\nnamespace wp { using std::sqrt; using std::sin; using std::cos; using std::atan2; }",
            "namespace {", "#define KG_UNROLL 0", f"#define KG_REAL {real}", (NATIVE / "loops.h").read_text(),
            SHAPE_ENUM, has, rows, (NATIVE / "scalar.h").read_text(), (NATIVE / "vec.h").read_text(), tangents,
            *((NATIVE / f"{name}.h").read_text() for name in PHASES), "}",
            (HERE / "narrow.cpp").read_text(),
        ]  # fmt: skip
        source, library = folder / f"narrow_{real}.cpp", folder / f"narrow_{real}.so"
        source.write_text("\n".join(parts))
        subprocess.run(["g++", *CPP, *flags, str(source), "-o", str(library)], check=True)
        self.library = ctypes.CDLL(str(library))

        class ShapeC(ctypes.Structure):
            _fields_ = [("kind", ctypes.c_int), ("pos", c_real * 3), ("quat", c_real * 4), ("size", c_real * 3),
                        ("radius", c_real)]  # fmt: skip

        class HullC(ctypes.Structure):
            _fields_ = [("vertex", ctypes.c_void_p), ("normal", ctypes.c_void_p), ("face", ctypes.c_void_p),
                        ("corner", ctypes.c_void_p), ("vertices", ctypes.c_int), ("faces", ctypes.c_int)]  # fmt: skip

        class FoundC(ctypes.Structure):
            _fields_ = [("normal", c_real * 3), ("gap", c_real), ("a", c_real * 3), ("b", c_real * 3),
                        ("touches", ctypes.c_int), ("number", ctypes.c_int * TOUCHES),
                        ("point", (c_real * 3) * TOUCHES), ("depth", c_real * TOUCHES)]  # fmt: skip

        self.types = ShapeC, HullC, FoundC
        self.c_real = c_real

    def _pack(self, shapes: list[Placed], keep: list) -> tuple[ctypes.Array, ctypes.Array]:
        ShapeC, HullC, _ = self.types
        out, hulls = (ShapeC * len(shapes))(), (HullC * len(shapes))()
        for i, s in enumerate(shapes):
            c = out[i]
            c.kind = KINDS[s.kind]
            c.pos[:] = list(s.pos)
            c.quat[:] = list(s.quat)
            size = [*s.size, 0.0, 0.0, 0.0][:3]
            if s.kind in ("sphere", "capsule"):
                c.radius = size[0]
            if s.hull is not None:
                size = [s.scale, s.hull.bound * s.scale, s.hull.thickness * s.scale]
                arrays = [by_fours(s.hull.vertices).astype(self.real), by_fours(s.hull.normals).astype(self.real),
                          s.hull.face_table(), s.hull.corners()]  # fmt: skip
                keep += arrays
                h = hulls[i]
                h.vertex, h.normal, h.face, h.corner = (a.ctypes.data for a in arrays)
                h.vertices, h.faces = len(s.hull.vertices), len(s.hull.faces)
            if s.corners is not None:
                array = np.ascontiguousarray(s.corners, dtype=self.real)
                keep.append(array)
                hulls[i].vertex = array.ctypes.data
            c.size[:] = size
        return out, hulls

    def cylinder_edge(self, size: np.ndarray, start: np.ndarray, along: np.ndarray, limit: float = 1e9) -> np.ndarray:
        """size: (n, 2) radius and half length; edges in the cylinder's axes -> (n, 4) normal and gap."""
        pack = [np.ascontiguousarray(x, dtype=self.real) for x in (size, start, along)]
        out = np.zeros((len(size), 4), dtype=self.real)
        pointers = [ctypes.c_void_p(x.ctypes.data) for x in (*pack, out)]
        self.library.cylinder_edges(len(size), *pointers[:3], self.c_real(limit), pointers[3])
        return out

    def nearest_shares(self, corners: np.ndarray) -> np.ndarray:
        """corners: (n, 3, 3) of triangles -> (n, 3) shares of the corners in the point nearest to the origin."""
        pack = np.ascontiguousarray(corners, dtype=self.real)
        out = np.zeros((len(pack), 3), dtype=self.real)
        self.library.nearest_shares(len(pack), ctypes.c_void_p(pack.ctypes.data), ctypes.c_void_p(out.ctypes.data))
        return out

    def __call__(self, a: list[Placed], b: list[Placed], limit: float = 1e9) -> list[Result]:
        keep: list = []
        (shapes_a, hulls_a), (shapes_b, hulls_b) = self._pack(a, keep), self._pack(b, keep)
        found = (self.types[2] * len(a))()
        self.library.narrow(len(a), shapes_a, shapes_b, hulls_a, hulls_b, self.c_real(limit), found)
        return [
            Result(
                np.array(f.normal), f.gap, np.array(f.a), np.array(f.b),
                np.array([list(p) for p in f.point[: f.touches]]).reshape(-1, 3), np.array(f.depth[: f.touches]),
                list(f.number[: f.touches]),
            )
            for f in found
        ]  # fmt: skip

    def boxes_meet(self, a: list[Placed], b: list[Placed], grow: float) -> np.ndarray:
        """Whether the boxes around pairs may be within `grow` of each other: (pairs,)."""
        shapes_a, shapes_b = self._pack(a, [])[0], self._pack(b, [])[0]
        out = (ctypes.c_int * len(a))()
        self.library.near(len(a), shapes_a, shapes_b, self.c_real(grow), out)
        return np.array(list(out), dtype=bool)
