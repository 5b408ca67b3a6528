"""What the scripts beside implicit share: whether it can be used here, and the machine that figures are from."""

import importlib.util
import os


def why_not_on_cpu():
    """A line, or None: it can be used."""
    return None if importlib.util.find_spec("implicit") else "implicit is not installed"


def why_not_on_gpu():
    if why_not_on_cpu():
        return why_not_on_cpu()
    import implicit.gpu

    if not implicit.gpu.HAS_RMM:
        return "implicit's GPU part needs rmm (pip install rmm-cu13)"
    return None if implicit.gpu.HAS_CUDA else "implicit sees no GPU"


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")
    return {"cpu": model, "cores": os.cpu_count(), "load_average_before": os.getloadavg()[0],
            "openblas_coretype": os.environ.get("OPENBLAS_CORETYPE")}
