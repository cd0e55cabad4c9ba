"""Makes the simulated heads and the reference of this folder importable by its tests."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


def _load(name: str) -> ModuleType:
    qualified = f"skullstrip_{name}"
    if qualified not in sys.modules:
        spec = importlib.util.spec_from_file_location(qualified, Path(__file__).with_name(f"{name}.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[qualified] = module
        spec.loader.exec_module(module)
    return sys.modules[qualified]


@pytest.fixture(scope="session")
def head() -> ModuleType:
    """The generator of simulated heads."""
    return _load("head")


@pytest.fixture(scope="session")
def ge_reference() -> ModuleType:
    """The reference of the real GE head."""
    return _load("ge_reference")


@pytest.fixture(scope="session")
def changes() -> ModuleType:
    """Simulated changes of a real head."""
    return _load("changes")
