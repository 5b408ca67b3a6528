#!/usr/bin/env python3
"""serve_outputs_test.py BOUQUET: what `bouquet bench serve` and `live` write, at sizes that take no time."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SMALL = ["--items", "200", "--customers", "50", "--dimension", "16", "--history", "5", "--connections", "4", "--seconds", "0.5"]
# The load may share the server's processor: nothing here is about speed.
SERVE = ["serve", *SMALL, "--client-cpus", str(min(os.sched_getaffinity(0)))]


def bench(*arguments):
    return subprocess.run([sys.argv[1], "bench", *arguments], capture_output=True, text=True, timeout=120)


def check(condition, *what):
    if not condition:
        sys.exit("FAILED: " + " ".join(str(w) for w in what))


def document(*arguments):
    result = bench(*arguments, "--json")
    check(result.returncode == 0, arguments, result.stderr)
    return json.loads(result.stdout)


def check_counts(counts):
    check(counts["wrong"] == 0 and counts["failed"] == 0 and counts["by_code"] == {"OK": counts["ok"]}, counts)
    check(0 < counts["p50_ms"] <= counts["p99_ms"] <= counts["p999_ms"] <= counts["max_ms"], counts)


def check_mix(folder):
    svg = pathlib.Path(folder, "serve.svg")
    mix = "recommend=50,similar=20,profile=20,record=10"
    report = document(*SERVE, "--mix", mix, "--at", "10,20", "--svg", str(svg))
    check(report["items"] == 200 and report["machine"] and report["load_average"] >= 0, report)
    echo, capacity, *open_loops = report["runs"]
    check((echo["what"], capacity["what"]) == ("echo", mix), report)
    check([run["at_percent"] for run in open_loops] == [10, 20], open_loops)
    for run in report["runs"]:
        check_counts(run)
        us = run["server_cpu_us_per_answer"]
        check(us > 0 and abs(run["answers_per_second_and_core"] * us / 1e6 - 1) < 1e-6, run)
    for run in [capacity, *open_loops]:
        check({kind["kind"]: kind["share"] for kind in run["kinds"]} == {"recommend": 50, "similar": 20, "profile": 20, "record": 10}, run)
        check([kind["kind"] for kind in run["kinds"] if kind["compared"]] == ["similar"], run)
        check(sum(kind["ok"] for kind in run["kinds"]) == run["ok"], run)
        for kind in run["kinds"]:
            check_counts(kind)
    for run in open_loops:
        check(abs(run["rate"] - capacity["answers_per_second"] * run["at_percent"] / 100) < 1e-6 * run["rate"], run)
        check(run["sent_late_p99_ms"] >= 0, run)
    tooltips = [title.text for title in xml.etree.ElementTree.parse(svg).getroot().iter("{http://www.w3.org/2000/svg}title")]
    check(len(tooltips) == 6 and f"p99.9, 20: {open_loops[1]['p999_ms']:.6g}" in tooltips, tooltips)


def check_reads():
    report = document(*SERVE, "--mix", "recommend=2,profile=1", "--rate", "50")
    check([run["rate"] for run in report["runs"]] == [0, 0, 50], report["runs"])
    check("at_percent" not in report["runs"][2] and all(kind["compared"] for kind in report["runs"][2]["kinds"]), report["runs"][2])
    text = bench(*SERVE, "--at", "50")
    check(text.returncode == 0 and "(50 %)" in text.stdout and "p99.9" in text.stdout, text.stdout, text.stderr)


def check_live():
    report = document("live", *SMALL, "--events", "50", "--reads", "50")
    for row in report["rows"]:
        check(row["count"] > 0 and 0 < row["p50_ms"] <= row["p99_ms"] <= row["p999_ms"], row)


def check_refusals():
    for wrong in (["--mix", "buy=1"], ["--at", "0"], ["--at", "50", "--rate", "10"], ["--svg", "/nowhere/plot.svg"]):
        result = bench(*SERVE, *wrong)
        check(result.returncode == 2 and wrong[0] in result.stderr, wrong, result.returncode, result.stderr)


with tempfile.TemporaryDirectory() as scratch:
    check_mix(scratch)
    check_reads()
    check_live()
    check_refusals()
print("ok")
