#!/usr/bin/env python3
"""device_runs_test.py DEVICE_RUNS: the table of kernels and their last run on a device, in a repository made up here."""
import json
import pathlib
import subprocess
import sys
import tempfile

SCRIPT = sys.argv[1]
README = "# Results\n\n<!-- device runs: written by .ci/device_runs -->\n<!-- end of device runs -->\nMore.\n"
KERNELS = [("add_kernel", "cuda/a.cu"), ("take_kernel<4>", "cuda/b.cu"), ("take_kernel<8>", "cuda/b.cu"), ("add_kernel", "cuda/b.cu")]
ADD_A, TAKE_B, ADD_B = ("add_kernel", "cuda/a.cu"), ("take_kernel", "cuda/b.cu"), ("add_kernel", "cuda/b.cu")


def git(root, *arguments):
    command = ["git", "-C", root, "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def rows(root):
    subprocess.run([sys.executable, SCRIPT, root], check=True)
    text = (root / "bench/results/README.md").read_text()
    assert text.startswith("# Results") and text.endswith("More.\n"), text
    return [line for line in text.splitlines() if line.startswith("| `")]


def add_run(results, date, commit, failures, launched, suite="conformance"):
    launches = [{"kernel": kernel, "source": source, "launches": 3, "seconds": 0} for kernel, source in launched]
    passed = {"tests": 2, "failures": 0, "errors": None, "launches": []}
    run = {"date": date, "commit": commit, "device": "a device", "conformance": passed, "device_tests": passed,
           suite: {"tests": 9, "failures": failures, "errors": None, "launches": launches}}
    (results / f"{date[:10]}-device.json").write_text(json.dumps(run))


with tempfile.TemporaryDirectory() as name:
    root = pathlib.Path(name)
    results = root / "bench" / "results"
    results.mkdir(parents=True)
    (root / "cuda").mkdir()
    (results / "README.md").write_text(README)
    (results / "kernels.json").write_text(json.dumps({"kernels": [{"kernel": k, "source": s} for k, s in KERNELS]}))
    (results / "rank.json").write_text('{"benchmark": "rank", "results": []}')
    for source in ("a", "b"):
        (root / "cuda" / f"{source}.cu").write_text("1")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    commit = git(root, "rev-parse", "HEAD")

    assert rows(root) == ["| `add_kernel` | `cuda/a.cu` | never | - |", "| `add_kernel`, `take_kernel` | `cuda/b.cu` | never | - |"], rows(root)
    assert subprocess.run([sys.executable, SCRIPT, root, "--check"]).returncode == 0

    add_run(results, "2026-01-02T00:00:00+00:00", commit, 0, [ADD_A])
    add_run(results, "2026-01-03T00:00:00+00:00", commit, 1, [ADD_A, TAKE_B, ADD_B])  # failed: does not count
    add_run(results, "2026-01-04T00:00:00+00:00", commit, 0, [ADD_A])  # says nothing of what it did not launch
    assert subprocess.run([sys.executable, SCRIPT, root, "--check"], capture_output=True).returncode == 1
    add_run(results, "2026-01-01T00:00:00+00:00", commit, 0, [TAKE_B], "device_tests")
    (root / "cuda" / "b.cu").write_text("2")
    assert rows(root) == ["| `add_kernel` | `cuda/a.cu` | 2026-01-04, a device | no |",
                          "| `take_kernel` | `cuda/b.cu` | 2026-01-01, a device | yes |",
                          "| `add_kernel` | `cuda/b.cu` | never | - |"], rows(root)  # another file's kernel of that name was launched
print("passed")
