"""The import rules: arrows point down, siblings do not meet, heavy libraries stay where they belong."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Lower numbers lie below; two units of one number are siblings.
LEVELS = {
    "core.errors": 0, "core.compute": 1, "core.memory": 1, "core.types": 1, "core.turns": 2, "core.maths": 2,
    "core.lras": 3, "core.nets": 3, "core.files": 3,
    "core.perception": 4, "core.engines": 4, "core.training": 4,
    "core.editing": 5, "core.evaluation": 6, "app": 7, "launch": 8,
}  # fmt: skip
ONLY_IN = {
    "gradio": ("app",), "fastapi": ("app",), "starlette": ("app",), "viser": ("app",),
    "torch.nn": ("core.lras", "core.nets", "core.training"),
    "transformers": ("core.perception",), "segment_anything": ("core.perception",),
}  # fmt: skip
# Read before any package is installed.
STANDARD_LIBRARY_ONLY = {"launch", "app.environment", "app.signals"}
RUNS_BEFORE_PACKAGES = {"app", "app.environment", "app.signals"}
AFTER_THE_DOOR = "app.cli"


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def unit_of(module: str) -> str | None:
    return next((unit for unit in LEVELS if within(module, unit)), None)


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module or member that a file names in an import, and `torch.nn` reached as an attribute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "torch.nn":
            yield "torch.nn"


def arrow_fault(module: str, target: str) -> str | None:
    if target.startswith("."):
        return "relative import"
    for library, homes in ONLY_IN.items():
        if within(target, library) and not any(within(module, home) for home in homes):
            return f"{library} belongs in {', '.join(homes)}"
    if module in STANDARD_LIBRARY_ONLY and target.partition(".")[0] not in sys.stdlib_module_names:
        allowed = target in RUNS_BEFORE_PACKAGES or (module == "launch" and within(target, AFTER_THE_DOOR))
        return None if allowed else "standard library only"
    if target.partition(".")[0] not in ("core", "app", "launch"):
        return None
    here, there = unit_of(module), unit_of(target)
    if there is None:
        return "this part has no layer"
    if here != there and here is not None and LEVELS[there] >= LEVELS[here]:
        return f"{here} must not import {there}"
    return None


def faults(root: Path) -> list[str]:
    """Every broken rule in launch.py, app and core under `root`, one line each."""
    found = []
    for path in sorted([*root.glob("launch.py"), *root.glob("app/**/*.py"), *root.glob("core/**/*.py")]):
        parts = path.relative_to(root).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if {"utils", "util"} & set(parts):
            found.append(f"{module}: name it after what it does, not utils")
        if unit_of(module) is None and module != "core":
            found.append(f"{module}: this part has no layer")
        targets = sorted(set(imported(ast.parse(path.read_text(encoding="utf-8"), str(path)))))
        if "__future__.annotations" in targets and any(within(target, "jaxtyping") for target in targets):
            found.append(f"{module}: shapes are not checked under postponed annotations")
        found += [f"{module} -> {target}: {fault}" for target in targets if (fault := arrow_fault(module, target))]
    return found


def test_the_tree_obeys_the_rules() -> None:
    assert (ROOT / "core").is_dir()
    assert faults(ROOT) == []


@pytest.mark.parametrize(
    ("path", "code", "fault"),
    [
        ("core/maths/rigid.py", "from core.files.photo import load", "core.maths must not import core.files"),
        ("core/files/photo.py", "def f():\n    import core.lras.layout", "core.files must not import core.lras"),
        ("core/engines/warp.py", "from core import perception", "core.engines must not import core.perception"),
        ("core/errors.py", "import core.types.ids", "core.errors must not import core.types"),
        ("core/editing/render.py", "from app import jobs", "core.editing must not import app"),
        ("core/editing/render.py", "from .memo import Memo", "relative import"),
        ("core/editing/render.py", "from core.stray import x", "this part has no layer"),
        ("core/stray/x.py", "", "this part has no layer"),
        ("core/editing/render.py", "import gradio as gr", "gradio belongs in app"),
        ("core/maths/flow.py", "from torch import nn", "torch.nn belongs in"),
        ("core/maths/flow.py", "import torch\ntorch.nn.Module", "torch.nn belongs in"),
        ("app/cli.py", "import launch", "app must not import launch"),
        ("launch.py", "import numpy", "standard library only"),
        ("launch.py", "from core.errors import EditorError", "standard library only"),
        ("app/environment.py", "from app import doctor", "standard library only"),
        ("core/files/utils.py", "", "not utils"),
        ("core/maths/a.py", "from __future__ import annotations\nfrom jaxtyping import Float", "postponed annotations"),
    ],
)
def test_a_broken_rule_is_found(tmp_path: Path, path: str, code: str, fault: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text(code)
    lines = faults(tmp_path)
    assert len(lines) == 1
    assert fault in lines[0]


def test_allowed_arrows_pass(tmp_path: Path) -> None:
    for path, code in {
        "launch.py": "import os\nfrom app import environment\nfrom app.cli import main",
        "app/cli.py": "import gradio\nfrom core.editing.render import render\nfrom app import doctor",
        "core/lras/transformer.py": "from torch import nn\nfrom core.maths.rigid import inverse",
        "core/maths/flow.py": "import torch\nfrom core.maths import rigid\nfrom core.types.flow import FlowField",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(code)
    assert faults(tmp_path) == []
