#!/usr/bin/env bash
# run_on_gpu_test.sh RUN_ON_GPU CONFORMANCE_TESTS MODULE: the script of the GPU kit, with a module on the emulation for the device.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/kit/bin" "$scratch/kit/lib"
cp "$1" "$scratch/kit/run_on_gpu"
ln -s "$2" "$scratch/kit/bin/conformance_tests"
printf 'of-a-test\n' >"$scratch/kit/commit"
export BOUQUET_CUDA_MODULE=$3
run() { "$scratch/kit/run_on_gpu" --quick --filter 'Backends/Ranking.Refuses*/cuda' --out "$scratch/results.json"; }

run
python3 - "$scratch/results.json" <<'PYTHON'
import json, sys
results = json.load(open(sys.argv[1]))
assert results["commit"] == "of-a-test", results
assert results["steps"][0]["outcome"] == "passed", results
assert results["conformance"]["tests"] > 5 and results["conformance"]["failures"] == 0, results
PYTHON

if EMULATION_NO_DEVICE=1 run >"$scratch/log" 2>&1; then
  printf 'passed without a device\n'
  exit 1
fi
grep -q 'failed: conformance' "$scratch/log"
