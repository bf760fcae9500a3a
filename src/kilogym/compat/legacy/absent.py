"""The error of a stand-in that was used."""

from __future__ import annotations

from typing import Any, NoReturn


class AbsentPackageError(ImportError):
    """A package that is not installed was used; only a stand-in of it was imported."""


class Absent:
    """A class of a package that is not there: it can be imported, named and annotated with, and not used."""

    package = ""
    remedy = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._refuse()

    @classmethod
    def _refuse(cls) -> NoReturn:
        raise AbsentPackageError(
            f"{cls.package}.{cls.__name__} was used, but {cls.package} is not installed; kilogym.compat only "
            f"let the import pass. {cls.remedy}",
            name=cls.package,
        )
