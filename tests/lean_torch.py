"""Import before PyTorch: in emulation it then takes two thirds of the time to import.

Left out is what computes nothing: shapes of tensors without data, and torch.compile, which
optimizers import to ask it to leave them alone.
"""

from __future__ import annotations

import sys
import types
from typing import Any

compiler: Any = types.ModuleType("torch._dynamo")
compiler.disable = lambda function, recursive=True, **_: function
compiler.graph_break = lambda: None
sys.modules["torch._dynamo"] = compiler
sys.modules["torch._meta_registrations"] = types.ModuleType("torch._meta_registrations")
