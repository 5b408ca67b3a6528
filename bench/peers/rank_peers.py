"""Exact top-k beside faiss-cpu (IndexFlatIP), in turns, in one run.

faiss gets the best of its settings per batch size: every BLAS threshold (its own scan or a matrix product), with the same number
of threads. Every answer of ours that is timed is checked for its first query by the program itself, and the two are compared.

    bench/peers/rank_peers.py --bouquet build/release/cli/bouquet --items 1000000 --dimension 128 --k 100 --batch 1,16,64 --threads 2
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np


class Bouquet:
    """`bouquet bench rank --paced`: ranks once per line that it is sent."""

    def __init__(self, options, prefix):
        command = [options.bouquet, "bench", "rank", "--paced", "--data-out", prefix]
        for name in ("items", "dimension", "k", "threads", "seed", "distribution"):
            command += [f"--{name}", str(getattr(options, name))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def rank(self, batch):
        self.process.stdin.write(f"{batch}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if not answer["right"]:
            sys.exit("bouquet's answer differs from brute force")
        return answer["seconds"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Faiss:
    def __init__(self, options, prefix):
        import faiss

        self.faiss = faiss
        self.k = options.k
        items = np.fromfile(prefix + ".items.f32", np.float32).reshape(options.items, options.dimension)
        self.queries = np.fromfile(prefix + ".queries.f32", np.float32).reshape(-1, options.dimension)
        faiss.omp_set_num_threads(options.threads)
        self.index = faiss.IndexFlatIP(options.dimension)
        self.index.add(items)
        self.first = 0

    def rank(self, batch, blas_threshold):
        self.faiss.cvar.distance_compute_blas_threshold = blas_threshold
        self.first = (self.first + batch) % (len(self.queries) - batch)
        queries = self.queries[self.first : self.first + batch]
        start = time.perf_counter()
        self.index.search(queries, self.k)
        return time.perf_counter() - start


def spread(seconds):
    ordered = sorted(seconds)
    return {
        "median_ms": statistics.median(ordered) * 1e3,
        "min_ms": ordered[0] * 1e3,
        "p90_ms": ordered[int(0.9 * (len(ordered) - 1))] * 1e3,
        "repetitions": len(ordered),
    }


def machine():
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown processor")
    return f"{model}, {os.cpu_count()} cores"


def compare(options, batch, ours, faiss):
    # Its own loops against one matrix product for the whole batch, and what lies between.
    settings = [1, batch + 1] if batch > 1 else [20, 1]
    times = {"bouquet": []} | {f"faiss, BLAS threshold {s}": [] for s in settings}
    ours.rank(batch)
    for s in settings:
        faiss.rank(batch, s)
    for _ in range(options.repetitions):
        times["bouquet"].append(ours.rank(batch))
        for s in settings:
            times[f"faiss, BLAS threshold {s}"].append(faiss.rank(batch, s))
    best = min((name for name in times if name != "bouquet"), key=lambda name: statistics.median(times[name]))
    return {
        "batch": batch,
        "ratio_of_medians": statistics.median(times[best]) / statistics.median(times["bouquet"]),
        "ratio_of_minima": min(times[best]) / min(times["bouquet"]),
        "best_of_faiss": best,
        "times": {name: spread(seconds) for name, seconds in times.items()},
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bouquet", default="build/release/cli/bouquet", help="the program")
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--batch", default="1,16,64")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--distribution", choices=["gaussian", "decaying"], default="gaussian")
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        prefix = os.path.join(folder, "vectors")
        ours = Bouquet(options, prefix)
        ours.rank(1)  # the vectors are written by now
        faiss = Faiss(options, prefix)
        rows = [compare(options, int(batch), ours, faiss) for batch in options.batch.split(",")]
        ours.close()
    report = {
        "benchmark": "rank beside faiss",
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "faiss": faiss.faiss.__version__,
        "load_average": os.getloadavg()[0],
        **{name: getattr(options, name) for name in ("items", "dimension", "k", "threads", "seed", "distribution")},
        "results": rows,
    }
    if options.json:
        print(json.dumps(report, indent=2))
        return
    print(f"{options.items} x {options.dimension} ({options.distribution}), k = {options.k}, {options.threads} threads, {report['machine']}")
    for row in rows:
        for name, t in row["times"].items():
            print(f"  batch {row['batch']:4d}  {name:28s} median {t['median_ms']:9.3f} ms  min {t['min_ms']:9.3f}  p90 {t['p90_ms']:9.3f}")
        print(f"  batch {row['batch']:4d}  faiss / bouquet: {row['ratio_of_medians']:.2f} by medians, {row['ratio_of_minima']:.2f} by minima")


if __name__ == "__main__":
    main()
