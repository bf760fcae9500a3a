"""Value objects with typed fields: the base of every struct of this API.

Fields behave as those of the original: reals are stored in single precision, an unknown attribute raises
AttributeError, and a field that is itself a struct is a reference (`pose.p.x = 1` works) to which values are
copied (`pose.p = v` leaves `v` alone).
"""

from __future__ import annotations

import copy
import ctypes
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np


class Struct:
    """Base of the structs. Subclasses list their fields as class attributes made by the functions below."""

    __slots__ = ("_values",)
    _fields: ClassVar[tuple[Field, ...]] = ()
    _values: list[Any]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        own = [field for field in vars(cls).values() if isinstance(field, Field)]
        for index, field in enumerate(own, len(cls._fields)):
            field.index = index
        cls._fields = (*cls._fields, *own)

    def __init__(self) -> None:
        self._values = [field.make() for field in self._fields]

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            object.__setattr__(self, name, value)
        except AttributeError as error:
            known = [field.name for field in self._fields]
            if name in known:
                raise
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r}; it has {', '.join(known)}"
            ) from error

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: value for field, value in zip(self._fields, self._values, strict=True)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._values = [field.make() for field in self._fields]
        for field in self._fields:
            if field.name in state:
                self._values[field.index] = field.convert(self._values[field.index], state[field.name])

    def __copy__(self) -> Any:
        return copy.deepcopy(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _blank, (type(self),), self.__getstate__()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values == other._values  # type: ignore[attr-defined]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{f.name}={self._values[f.index]!r}' for f in self._fields)})"


def _blank(cls: type[Struct]) -> Struct:
    return cls.__new__(cls)


class Field:
    """One attribute of a struct: a default and a rule for what may be assigned."""

    def __init__(
        self,
        make: Callable[[], Any],
        convert: Callable[[Any, Any], Any],
        readonly: bool = False,
    ) -> None:
        self.make, self._convert, self.readonly = make, convert, readonly
        self.name, self.index = "", 0
        self.owner = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.owner = name, owner.__name__

    def __get__(self, instance: Struct | None, owner: type | None = None) -> Any:
        return self if instance is None else instance._values[self.index]

    def __set__(self, instance: Struct, value: Any) -> None:
        if self.readonly:
            raise AttributeError(f"{self.owner}.{self.name} is read-only")
        values = instance._values
        values[self.index] = self.convert(values[self.index], value)

    def convert(self, old: Any, value: Any) -> Any:
        """The value to store in place of `old`; TypeError and ValueError name the attribute."""
        try:
            return self._convert(old, value)
        except (TypeError, ValueError, OverflowError) as error:
            kind = ValueError if isinstance(error, ValueError) else TypeError
            raise kind(f"{self.owner}.{self.name}: {error}") from error


def lone(value: Any) -> Any:
    """A value, or the only one of an array: randomisation gives arrays of one, which numpy 2.4 does not convert."""
    alone = getattr(value, "ndim", 0) > 0 and getattr(value, "size", None) == 1
    return value.item() if alone else value


def single(value: Any) -> float:
    """A real number of any library, or an array of one, rounded to single precision."""
    value = lone(value)
    if isinstance(value, (str, bytes)):
        raise TypeError(f"expected a real number, got {value!r}")
    try:
        return ctypes.c_float(float(value)).value
    except (TypeError, ValueError, RuntimeError) as error:
        raise TypeError(f"expected a real number, got {type(value).__name__} {value!r}") from error


def whole(value: Any) -> int:
    """An integer of any library, or an enum's."""
    try:
        return operator.index(value)
    except TypeError as error:
        raise TypeError(f"expected an integer, got {type(value).__name__} {value!r}; use int()") from error


def truth(value: Any) -> bool:
    """A truth value; text is refused, since "False" would count as true."""
    if isinstance(value, (str, bytes)):
        raise TypeError(f"expected True or False, got {value!r}")
    return bool(value)


def text(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise TypeError(f"expected a string, got {type(value).__name__}")
    return value


def real(default: float = 0.0, readonly: bool = False) -> Any:
    """A field holding a real number, stored in single precision."""
    start = single(default)
    return Field(lambda: start, lambda _, v: single(v), readonly)


def integer(default: int = 0, readonly: bool = False) -> Any:
    """A field holding an integer."""
    return Field(lambda: default, lambda _, v: whole(v), readonly)


def boolean(default: bool = False, readonly: bool = False) -> Any:
    """A field holding True or False."""
    return Field(lambda: default, lambda _, v: truth(v), readonly)


def string(default: str = "", readonly: bool = False) -> Any:
    """A field holding text."""
    return Field(lambda: default, lambda _, v: text(v), readonly)


def choice(default: Any, readonly: bool = False) -> Any:
    """A field holding a member of an enum; its integer is accepted too."""
    kind = type(default)
    return Field(lambda: default, lambda _, v: kind(whole(v)), readonly)


def nested(kind: Callable[[], Struct], readonly: bool = False) -> Any:
    """A field that is a struct itself; assigning copies into it, also from a sequence of its numbers."""
    return Field(kind, lambda old, v: assign(old, v), readonly)


def assign(target: Struct, value: Any) -> Struct:
    """Copy `value`, a struct of the same type or a sequence of its fields, into `target`; returns `target`."""
    if isinstance(value, type(target)):
        items: Sequence[Any] = list(value._values)
    elif isinstance(value, Iterable) and not isinstance(value, (str, bytes, Struct)):
        items = value.item() if isinstance(value, np.void) else list(value)
    else:
        raise TypeError(f"expected a {type(target).__name__}, got {type(value).__name__}")
    if len(items) != len(target._fields):
        raise ValueError(f"expected {len(target._fields)} values for a {type(target).__name__}, got {len(items)}")
    values = target._values
    for field, item in zip(target._fields, items, strict=True):
        values[field.index] = field.convert(values[field.index], item)
    return target


def numbers(value: Struct) -> Iterator[float]:
    """The leaves of a struct in field order."""
    for item in value._values:
        if isinstance(item, Struct):
            yield from numbers(item)
        else:
            yield item


def make_record(cls: type[Struct], **values: Any) -> Any:
    """An instance of `cls` with fields set, read-only ones included."""
    out = cls.__new__(cls)
    Struct.__init__(out)
    for field in cls._fields:
        if field.name in values:
            out._values[field.index] = field.convert(out._values[field.index], values.pop(field.name))
    if values:
        raise AttributeError(f"{cls.__name__} has no attribute {', '.join(values)}")
    return out
