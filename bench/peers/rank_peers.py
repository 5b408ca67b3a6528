"""Exact top-k beside faiss and torch, in turns, in one run.

On the CPU faiss (IndexFlatIP) gets the best of its settings per batch size: every BLAS threshold (its own scan or a matrix product), with
the same number of threads; torch multiplies and selects. On a GPU: faiss's GpuIndexFlatIP, and torch in fp32, tf32 and bf16, whose
answers are not exact. A peer that is not installed, or has no device, is left out with a line that says why. Every answer of ours that is
timed is checked for its first query by the program itself. Times are by the host's clock, queries and answers on the host; on a GPU the
device's own time of our call stands beside it.

    bench/peers/rank_peers.py --bouquet build/release/cli/bouquet --items 1000000 --dimension 128 --k 100 --batch 1,16,64 --threads 2
    bench/peers/rank_peers.py --bouquet build/release/cli/bouquet --items 1000000 --dimension 128 --k 100 --batch 1,64,1024 --backend cuda
"""
import argparse
import importlib.util
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
        command = [options.bouquet, "bench", "rank", "--paced", "--data-out", prefix, "--backend", options.backend]
        for name in ("items", "dimension", "k", "seed", "distribution") + (("threads",) if options.backend == "cpu" else ()):
            command += [f"--{name}", str(getattr(options, name))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.device_seconds = []

    def rank(self, batch):
        self.process.stdin.write(f"{batch}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            sys.exit("bouquet bench rank ended; its message stands above")
        answer = json.loads(line)
        if not answer["right"]:
            sys.exit("bouquet's answer differs from brute force")
        if answer["device_seconds"] is not None:
            self.device_seconds.append(answer["device_seconds"])
        return answer["seconds"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Vectors:
    def __init__(self, options, prefix):
        self.items = np.fromfile(prefix + ".items.f32", np.float32).reshape(options.items, options.dimension)
        self.queries = np.fromfile(prefix + ".queries.f32", np.float32).reshape(-1, options.dimension)
        self.first = 0

    def next_queries(self, batch):
        """Other queries than last time; of all of them there is one batch only."""
        self.first = (self.first + batch) % (len(self.queries) - batch + 1)
        return self.queries[self.first : self.first + batch]


def seconds_of(search, queries):
    start = time.perf_counter()
    search(queries)
    return time.perf_counter() - start


# Each peer: why_not(options) -> a line or None; settings(batch) -> {name: function of queries that ends when the answer is on the host}.


class FaissOnCpu:
    name = "faiss"

    @staticmethod
    def why_not(options):
        return None if importlib.util.find_spec("faiss") else "faiss is not installed"

    def __init__(self, options, vectors):
        import faiss

        self.faiss, self.k = faiss, options.k
        self.version = faiss.__version__
        faiss.omp_set_num_threads(options.threads)
        self.index = faiss.IndexFlatIP(options.dimension)
        self.index.add(vectors.items)

    def search(self, queries, blas_threshold):
        self.faiss.cvar.distance_compute_blas_threshold = blas_threshold
        self.index.search(queries, self.k)

    def settings(self, batch):
        # Its own loops, and one matrix product for the whole batch.
        thresholds = [1, batch + 1] if batch > 1 else [20, 1]
        return {f"faiss, BLAS threshold {t}": lambda queries, t=t: self.search(queries, t) for t in thresholds}


class FaissOnGpu:
    name = "faiss"

    @staticmethod
    def why_not(options):
        if not importlib.util.find_spec("faiss"):
            return "faiss is not installed"
        import faiss

        if not hasattr(faiss, "GpuIndexFlatIP"):
            return "this faiss was built without its GPU part"
        return None if faiss.get_num_gpus() > 0 else "faiss sees no GPU"

    def __init__(self, options, vectors):
        import faiss

        self.k, self.version = options.k, faiss.__version__
        self.resources = faiss.StandardGpuResources()  # outlives the index
        self.index = faiss.GpuIndexFlatIP(self.resources, options.dimension)
        self.index.add(vectors.items)

    def settings(self, batch):
        return {"faiss, GPU": lambda queries: self.index.search(queries, self.k)}


class Torch:
    name = "torch"

    @staticmethod
    def why_not(options):
        if not importlib.util.find_spec("torch"):
            return "torch is not installed"
        import torch

        return None if options.backend == "cpu" or torch.cuda.is_available() else "torch sees no GPU"

    def __init__(self, options, vectors):
        import torch

        self.torch, self.k, self.version = torch, options.k, torch.__version__
        self.device = options.backend
        torch.set_num_threads(options.threads)
        items = torch.from_numpy(vectors.items).to(self.device)
        self.items = {"fp32": items}
        if self.device == "cuda":
            self.items |= {"tf32": items, "bf16": items.to(torch.bfloat16)}

    def search(self, queries, precision):
        items = self.items[precision]
        self.torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
        with self.torch.inference_mode():
            scores = self.torch.from_numpy(queries).to(self.device, items.dtype) @ items.T
            best = self.torch.topk(scores, self.k)
            best.values.cpu(), best.indices.cpu()  # waits for the device

    def settings(self, batch):
        return {f"torch, {precision}": lambda queries, p=precision: self.search(queries, p) for precision in self.items}


def make_peers(options, vectors):
    """The peers that can run here, and why the others cannot."""
    peers, left_out = [], {}
    for kind in (FaissOnGpu if options.backend == "cuda" else FaissOnCpu, Torch):
        why_not = kind.why_not(options)
        if why_not:
            left_out[kind.name] = why_not
            print(f"without {kind.name}: {why_not}", file=sys.stderr)
        else:
            peers.append(kind(options, vectors))
    return peers, left_out


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


def compare(options, batch, ours, peers, vectors):
    settings = {name: search for peer in peers for name, search in peer.settings(batch).items()}
    times = {"bouquet": []} | {name: [] for name in settings}
    ours.rank(batch)
    for search in settings.values():
        search(vectors.next_queries(batch))
    ours.device_seconds.clear()
    for _ in range(options.repetitions):
        times["bouquet"].append(ours.rank(batch))
        for name, search in settings.items():
            times[name].append(seconds_of(search, vectors.next_queries(batch)))
    row = {"batch": batch, "times": {name: spread(seconds) for name, seconds in times.items()}}
    if ours.device_seconds:
        row["bouquet_device"] = spread(ours.device_seconds)
    row["best_of"] = {}
    for peer in peers:
        best = min(peer.settings(batch), key=lambda name: statistics.median(times[name]))
        row["best_of"][peer.name] = {
            "setting": best,
            "ratio_of_medians": statistics.median(times[best]) / statistics.median(times["bouquet"]),
            "ratio_of_minima": min(times[best]) / min(times["bouquet"]),
        }
    return row


def print_report(options, report):
    print(f"{options.items} x {options.dimension} ({options.distribution}), k = {options.k}, {options.backend}, {options.threads} threads, {report['machine']}")
    for row in report["results"]:
        device = {"bouquet, device": row["bouquet_device"]} if "bouquet_device" in row else {}
        for name, t in (row["times"] | device).items():
            print(f"  batch {row['batch']:4d}  {name:28s} median {t['median_ms']:9.3f} ms  min {t['min_ms']:9.3f}  p90 {t['p90_ms']:9.3f}")
        for name, best in row["best_of"].items():
            print(f"  batch {row['batch']:4d}  {name} / bouquet: {best['ratio_of_medians']:.2f} by medians, {best['ratio_of_minima']:.2f} by minima ({best['setting']})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bouquet", default="build/release/cli/bouquet", help="the program")
    parser.add_argument("--backend", choices=["cpu", "cuda"], default="cpu", help="where both compute")
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
        vectors = Vectors(options, prefix)
        peers, left_out = make_peers(options, vectors)
        rows = [compare(options, int(batch), ours, peers, vectors) for batch in options.batch.split(",")]
        ours.close()
    report = {
        "benchmark": "rank beside its peers",
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "peers": {peer.name: peer.version for peer in peers},
        "left_out": left_out,
        "load_average": os.getloadavg()[0],
        **{name: getattr(options, name) for name in ("backend", "items", "dimension", "k", "threads", "seed", "distribution")},
        "results": rows,
    }
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print_report(options, report)


if __name__ == "__main__":
    main()
