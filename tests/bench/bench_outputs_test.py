#!/usr/bin/env python3
"""bench_outputs_test.py BACKEND_BENCH [EMULATED_MODULE]: what the benchmarks write, at sizes that take no time. With a module that plays
a GPU: the device's own times too."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

BENCH = sys.argv[1]
BACKEND = "cuda" if len(sys.argv) > 2 else "cpu"
if BACKEND == "cuda":
    os.environ["BOUQUET_CUDA_MODULE"] = sys.argv[2]
SVG = "{http://www.w3.org/2000/svg}"
RANK = ["rank", "--items", "300", "--k", "5", "--dimension", "8,16", "--batch", "1,4", "--repetitions", "3"]
FOLD_IN = ["fold-in", "--items", "300", "--history", "20", "--dimension", "8", "--batch", "1,4", "--repetitions", "3"]
TRAIN = ["train", "--customers", "60", "--items", "40", "--pairs", "500", "--dimension", "8,16", "--epochs", "2", "--regularization", "0.1"]


def run(*arguments):
    return subprocess.run([BENCH, *arguments, "--backend", BACKEND], capture_output=True, text=True, timeout=300)


def check(condition, *what):
    if not condition:
        sys.exit("FAILED: " + " ".join(str(w) for w in what))


def near(a, b):
    return abs(a - b) <= 1e-6 * abs(b)


def check_row(row, roofline):
    check(0 < row["p10_ms"] <= row["median_ms"] <= row["p90_ms"], row)
    check((row["device"] is not None) == (BACKEND == "cuda"), row)
    seconds = (row["device"] or row)["median_ms"] * 1e-3
    if row["device"]:
        check(0 < row["device"]["p10_ms"] <= row["device"]["median_ms"] <= row["device"]["p90_ms"], row)
        check(row["device"]["median_ms"] <= row["median_ms"] * 1.01 + 0.01, "the device took longer than the call", row)
    check(row["bytes"] > 0 and row["flops"] > 0, row)
    check(near(row["gb_per_second"], row["bytes"] / seconds * 1e-9) and near(row["gflop_per_second"], row["flops"] / seconds * 1e-9), row)
    share = max(row["gb_per_second"] / roofline["gb_per_second"], row["gflop_per_second"] / roofline["gflop_per_second"])
    check(near(row["roofline_share"], share), row, roofline)


def check_svg(path, rows):
    root = xml.etree.ElementTree.parse(path).getroot()
    check(root.tag == SVG + "svg", root.tag)
    tooltips = [title.text for title in root.iter(SVG + "title")]
    medians = [row["median_ms"] for row in rows] + [row["device"]["median_ms"] for row in rows if row["device"]]
    check(len(tooltips) == len(medians), tooltips, medians)
    for median in medians:
        check(any(f"median {median:.6g}," in tooltip for tooltip in tooltips), "no", median, "in", tooltips)
    texts = " ".join(text.text or "" for text in root.iter(SVG + "text"))
    check("ms per call" in texts and ("batch" in texts or "dimension d" in texts), texts)


def check_documents(folder):
    for arguments, count, own in ((RANK, 4, "queries_per_second"), (FOLD_IN, 2, "relative_residual"), (TRAIN, 2, "objective")):
        plot = folder / f"{arguments[0]}.svg"
        done = run(*arguments, "--json", "--svg", str(plot))
        check(done.returncode == 0, done.stderr)
        document = json.loads(done.stdout)
        check(document["benchmark"] == arguments[0] and document["dtype"] == "f32", document)
        check(len(document["results"]) == count, document)
        for row in document["results"]:
            check_row(row, document["roofline"])
            check(own in row, row)
        check_svg(plot, document["results"])


def check_table(folder):
    done = run(*TRAIN, "--no-roofline")
    check(done.returncode == 0 and "roofline, measured" not in done.stdout, done.stdout, done.stderr)
    check("objective" in done.stdout and ("device: none" in done.stdout) == (BACKEND == "cpu"), done.stdout)
    done = run(*RANK)
    check("roofline, measured" in done.stdout and len(done.stdout.strip().splitlines()) >= 9, done.stdout)
    done = run("roofline", "--json")
    check(json.loads(done.stdout)["flops_per_byte_at_the_ridge"] > 0, done.stdout)


def check_refusals(folder):
    for arguments, message in (
        ([*RANK, "--dtype", "bf16"], "--dtype bf16 is not built yet: vectors are f32"),
        ([*TRAIN, "--dtype", "float"], "use f32"),
        ([*RANK, "--batch", "1,1025"], "--batch 1025 is outside 1 to 1024"),
        ([*FOLD_IN, "--dimension", "8,1025"], "--dimension 1025 is outside"),
        ([*RANK, "--paced"], "one --dimension"),
        ([*RANK, "--svg", str(folder / "nowhere" / "x.svg")], "cannot write to"),
    ):
        done = run(*arguments)
        check(done.returncode == 2 and message in done.stderr, arguments, done.returncode, done.stderr)


def check_paced():
    done = subprocess.run([BENCH, "rank", "--items", "300", "--dimension", "8", "--paced", "--backend", BACKEND],
                          input="1\n3\n", capture_output=True, text=True, timeout=60)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    check(len(answers) == 2 and all(a["right"] and a["seconds"] > 0 for a in answers), done.stdout, done.stderr)
    check(all((a["device_seconds"] is not None) == (BACKEND == "cuda") for a in answers), answers)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    check_documents(folder)
    check_table(folder)
    check_refusals(folder)
    check_paced()
print("passed")
