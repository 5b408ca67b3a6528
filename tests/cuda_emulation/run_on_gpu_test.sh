#!/usr/bin/env bash
# run_on_gpu_test.sh CI_FOLDER CONFORMANCE_TESTS CUDA_TESTS BACKEND_BENCH MODULE: the script of the GPU kit, with a module on the emulation for the device, and
# stand-ins for NVIDIA's tools.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/kit/bin" "$scratch/kit/lib" "$scratch/tools"
cp "$1/run_on_gpu" "$1/gpu_results" "$1/../bench/kernel_work.json" "$scratch/kit/"
cp -r "$1/../bench/peers" "$scratch/kit/"
ln -s "$2" "$scratch/kit/bin/conformance_tests"
ln -s "$3" "$scratch/kit/bin/device_tests"
ln -s "$4" "$scratch/kit/bin/backend_bench"
printf 'of-a-test\n' >"$scratch/kit/commit"
export BOUQUET_CUDA_MODULE=$5 BOUQUET_WANTED=$scratch/wanted
run() {
  "$scratch/kit/run_on_gpu" --filter 'Backends/Ranking.Refuses*/cuda:Backends/Ranking.Pads*/cuda' --device-filter 'Pivots.*' --out "$scratch/results.json" "$@"
}

# All that it may take is less than ten minutes.
"$scratch/kit/run_on_gpu" --limits | awk '{sum += $2} END {exit !(NR > 10 && sum <= 590)}'

# nvidia-smi: two samples of a device at work and one of an idle one. compute-sanitizer: synccheck finds something.
cat >"$scratch/tools/nvidia-smi" <<'SH'
#!/usr/bin/env bash
case $1 in
  *gpu=name*) printf 'Test GPU, 580.1, 143771 MiB, 96.00\n' ;;
  *) printf '%s\n' '0, 345, 3201, 80.1, 30' '97, 1980, 3201, 600.5, 60' '99, 1900, 3201, 640.5, 63' && exec sleep 60 ;;
esac
SH
cat >"$scratch/tools/compute-sanitizer" <<'SH'
#!/usr/bin/env bash
printf '%s %s\n' "$2" "$BOUQUET_SMALL_SHAPES" >>"$BOUQUET_WANTED"
[[ $2 != synccheck ]] || exit 9
SH
chmod +x "$scratch/tools"/*

run --quick
python3 - "$scratch/results.json" <<'PYTHON'
import json, sys
results = json.load(open(sys.argv[1]))
assert results["commit"] == "of-a-test" and results["device"] is None, results
assert [(step["name"], step["outcome"]) for step in results["steps"]] == [("conformance", "passed"), ("device_tests", "passed")], results
assert results["conformance"]["tests"] > 5 and results["conformance"]["failures"] == 0, results
launched = {(row["kernel"], row["source"]): row["launches"] for row in results["conformance"]["launches"]}
assert launched["score_kernel", "cuda/score_kernels.cu"] > 0, launched
assert not any(source == "cuda/row_systems.cu" for _, source in launched), launched  # nothing is solved there
solved = {row["source"] for row in results["device_tests"]["launches"]}
assert "cuda/row_systems.cu" in solved and results["device_tests"]["tests"] == 2, results["device_tests"]
assert results["libraries"]["cuBLAS"] and results["build_id"] and results["cuda_of_the_build"], results
PYTHON

if PATH=$scratch/tools:$PATH run --small --logs "$scratch/logs" >"$scratch/log" 2>&1; then
  printf 'passed although synccheck failed\n'
  exit 1
fi
grep -q 'failed: synccheck$' "$scratch/log" || { cat "$scratch/log" && exit 1; }
[[ -s $scratch/logs/conformance.log ]]
[[ $(sort "$scratch/wanted" | tr '\n' ';') == 'initcheck 1;memcheck 1;memcheck 1;racecheck 1;racecheck 1;synccheck 1;' ]]
python3 - "$scratch/results.json" "$1/../bench/kernel_work.json" "$1/../bench/results/kernels.json" <<'PYTHON'
import json, sys
results = json.load(open(sys.argv[1]))
outcomes = {step["name"]: step["outcome"] for step in results["steps"]}
assert outcomes["synccheck"] == "failed" and outcomes["memcheck"] == "passed", outcomes
assert all(outcomes[name] in ("left out", "passed") for name in ("nsys_train", "peer_train", "peer_rank", "peer_fold_in")), outcomes
assert all(step["why"] for step in results["steps"] if step["outcome"] == "left out"), results["steps"]
assert (results["device"], results["driver"]) == ("Test GPU", "580.1"), results
clocks = next(step["clocks"] for step in results["steps"] if step["name"] == "bench_train")
assert clocks["samples"] == 2 and clocks["sm_mhz"] == 1940 and clocks["sm_mhz_least"] == 1900, clocks  # the idle one does not count
for name in ("bench_rank", "bench_train", "bench_train_cpu", "bench_train_512", "bench_fold_in"):
    assert results[name]["results"][0]["median_ms"] > 0, name
assert results["cpu_epoch_over_ours"] > 0, results
# Each kernel that kernel_work.json names has a time and a share of its floor where it was launched, in the step that it names it for.
work = json.load(open(sys.argv[2]))
launched = set()
for step, of_step in work["steps"].items():
    found = {(row["kernel"], row["source"]): row for row in results[step.removeprefix("bench_")]}
    named = {(row["kernel"], row["source"]) for row in of_step["kernels"]}
    assert len(named) == len(of_step["kernels"]) and named & found.keys(), step
    assert all(found[key]["seconds"] > 0 and found[key]["floor_share"] > 0 for key in named & found.keys()), (step, found)
    launched |= named & found.keys()
small = {"sum_parts_kernel", "sum_large_parts_kernel", "add_segments_kernel", "clear_rows_kernel"}  # shapes this small have nothing for them
known = {(row["kernel"], row["source"]) for step in work["steps"].values() for row in step["kernels"]}
assert {kernel for kernel, _ in known - launched} <= small, known - launched
once = next(row for row in results["fold_in_kernels"] if row["kernel"] == "pad_rows_kernel")
assert once["launches"] == 1 / work["steps"]["bench_fold_in_kernels"]["calls"], once
# No kernel is forgotten.
all_kernels = {(row["kernel"].split("<")[0], row["source"]) for row in json.load(open(sys.argv[3]))["kernels"]}
assert {key for key in all_kernels - known if key[0] not in work["without"]} == set() and known <= all_kernels, all_kernels ^ known
PYTHON

# Neither the fixtures nor the property pass over a device that is not there.
for tests in 'Backends/Ranking.Pads*/cuda' 'RankingProperty.*'; do
  if EMULATION_NO_DEVICE=1 run --quick --filter "$tests" >"$scratch/log" 2>&1; then
    printf '%s passed without a device\n' "$tests"
    exit 1
  fi
  grep -q 'failed: conformance' "$scratch/log" || { cat "$scratch/log" && exit 1; }
done
