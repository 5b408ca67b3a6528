#!/usr/bin/env python3
"""Plants every kind of breach in a small tree and expects .ci/check_includes to find it, and nothing in a tree without one."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(os.environ["BOUQUET_SOURCE"]) / ".ci/check_includes"
HEADERS = ["engine/model.h", "cpu_fallback/cpu_backend.h", "cuda/cuda_backend.h", "training/trainer.h", "server/batcher.h", "cli/backends.h",
           "bench/bench_command.h",            "tests/oracle/oracle.h"]


class IncludeRules(unittest.TestCase):
    def check(self, path: str, include: str) -> str:
        """What the script says about a tree in which `path` includes `include`."""
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for header in HEADERS:
                (root / header).parent.mkdir(parents=True, exist_ok=True)
                (root / header).write_text("#pragma once\n")
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(f"#include <vector>\n#include {include}\n")
            done = subprocess.run([sys.executable, SCRIPT, root], capture_output=True, text=True)
            self.assertEqual(done.returncode, 1 if done.stdout else 0, done.stderr)
            return done.stdout

    def test_breaches_are_found_at_their_line(self):
        for path, include in [
            ("engine/x.cc", '"cpu_fallback/cpu_backend.h"'), ("engine/x.cc", "<thread>"), ("engine/x.h", "<mutex>"),
            ("engine/x.cc", "<grpcpp/grpcpp.h>"), ("engine/x.cc", "<cuda_runtime.h>"), ("engine/x.cc", '"training/trainer.h"'),
            ("cpu_fallback/x.cc", '"cuda/cuda_backend.h"'), ("cpu_fallback/x.cc", '"training/trainer.h"'),
            ("cuda/x.cu", '"cpu_fallback/cpu_backend.h"'), ("training/x.cc", '"cpu_fallback/cpu_backend.h"'),
            ("training/x.cc", '"server/batcher.h"'), ("training/x.cc", '"cli/backends.h"'), ("training/x.cc", "<cub/cub.cuh>"),
            ("training/x.cc", "<google/protobuf/message.h>"), ("training/x.cc", '"bouquet/v1/types.pb.h"'),
            ("server/x.cc", '"cpu_fallback/cpu_backend.h"'), ("server/x.cc", '"cuda/cuda_backend.h"'),
            ("tests/oracle/x.cc", '"cpu_fallback/cpu_backend.h"'), ("cli/x.cc", "<thrust/sort.h>"), ("bench/x.cc", '"cli/backends.h"'),
        ]:
            with self.subTest(path=path, include=include):
                self.assertIn(f"{path}:2: ", self.check(path, include))

    def test_what_is_allowed_passes(self):
        for path, include in [
            ("engine/x.cc", '"engine/model.h"'), ("cpu_fallback/x.cc", "<thread>"), ("cuda/x.cu", "<cuda_runtime.h>"),
            ("training/x.cc", '"engine/model.h"'), ("server/x.cc", "<grpcpp/grpcpp.h>"), ("server/x.cc", '"bouquet/v1/types.pb.h"'),
            ("cli/x.cc", '"cpu_fallback/cpu_backend.h"'), ("cli/x.cc", '"training/trainer.h"'), ("cli/x.cc", '"bench/bench_command.h"'),
            ("tests/oracle/x.cc", '"tests/oracle/oracle.h"'), ("tests/training/x.cc", '"cpu_fallback/cpu_backend.h"'),
        ]:
            with self.subTest(path=path, include=include):
                self.assertEqual(self.check(path, include), "")


if __name__ == "__main__":
    unittest.main()
