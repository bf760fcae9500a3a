"""Names that NumPy 1.24 and 2.x removed, put back as plain attributes of `numpy`.

Each is the replacement that NumPy's own message recommends, so code that was written for the old name
computes the same. Type aliases that NumPy gave a new meaning since (`np.bool`, `np.long`) are left as they
are.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np


def _asfarray(a: Any, dtype: Any = np.float64) -> np.ndarray:
    """`np.asfarray`: an array of a floating type; integers become float64."""
    return np.asarray(a, dtype=dtype if np.issubdtype(dtype, np.inexact) else np.float64)


def _msort(a: Any) -> np.ndarray:
    """`np.msort`: a sorted copy along the first axis."""
    return np.sort(a, axis=0)


def _find_common_type(array_types: Sequence[Any], scalar_types: Sequence[Any]) -> np.dtype:
    """`np.find_common_type`: scalars count only where they are of a higher kind than the arrays."""
    arrays = [np.dtype(t) for t in array_types]
    scalars = [np.dtype(t) for t in scalar_types]
    if not arrays or not scalars:
        return np.result_type(*(arrays or scalars))
    array, scalar = np.result_type(*arrays), np.result_type(*scalars)
    return scalar if "biufc".find(scalar.kind) > "biufc".find(array.kind) else array


def removed_names() -> dict[str, Any]:
    """Every removed name this module knows, with the object that stands for it."""
    names: dict[str, Any] = {
        # Python's own types under NumPy's name (removed in 1.24)
        "int": int, "float": float, "complex": complex, "bool": bool, "object": object, "str": str,
        "unicode": str,
        # constants (2.0)
        "Inf": np.inf, "Infinity": np.inf, "infty": np.inf, "PINF": np.inf, "NINF": -np.inf, "NaN": np.nan,
        "NAN": np.nan, "PZERO": 0.0, "NZERO": -0.0,
        # scalar types (2.0)
        "float_": np.float64, "complex_": np.complex128, "cfloat": np.complex128,
        "singlecomplex": np.complex64,
        "longfloat": np.longdouble, "clongfloat": np.clongdouble, "longcomplex": np.clongdouble,
        "string_": np.bytes_, "unicode_": np.str_,
        # functions (2.0 and after)
        "product": np.prod, "cumproduct": np.cumprod, "alltrue": np.all, "sometrue": np.any,
        "round_": np.round,
        "in1d": np.isin, "row_stack": np.vstack, "mat": np.asmatrix, "asfarray": _asfarray, "msort": _msort,
        "find_common_type": _find_common_type,
    }  # fmt: skip
    if hasattr(np, "trapezoid"):
        names["trapz"] = np.trapezoid
    if hasattr(np, "exceptions"):
        for error in (
            "AxisError",
            "ComplexWarning",
            "RankWarning",
            "TooHardError",
            "VisibleDeprecationWarning",
        ):
            if hasattr(np.exceptions, error):
                names[error] = getattr(np.exceptions, error)
    return names


def install() -> list[str]:
    """Put back what this NumPy lacks; returns the names, as `numpy.Inf`."""
    restored = []
    for name, value in removed_names().items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # asking for some removed names warns
            if hasattr(np, name):
                continue
        setattr(np, name, value)
        restored.append(f"numpy.{name}")
    return restored
