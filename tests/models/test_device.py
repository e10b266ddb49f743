from __future__ import annotations

import subprocess
import sys


def test_computing_is_deterministic_and_stages_do_not_wait_for_the_compiler_of_pytorch():
    code = (
        "import sys, torch\n"
        "from spoken_digits.models.device import set_up\n"
        "set_up('cpu', 1)\n"
        "print(torch.are_deterministic_algorithms_enabled(), torch.get_num_threads(),\n"
        "      torch.is_deterministic_algorithms_warn_only_enabled(),\n"
        "      {'torch._dynamo', 'torch._inductor'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "True 1 False set()\n"
