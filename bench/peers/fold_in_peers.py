"""Seconds per batch of profiles from histories: `bouquet bench fold-in` beside implicit's recalculate_user(), in turns, in one run: on the CPU
beside its Cholesky solver, with --backend cuda beside its GPU solver, which takes d steps of conjugate gradients.

Both get the same item vectors and histories, and solve with the same matrix up to a factor: implicit's QᵀQ + lambda I + sum (c - 1) q qᵀ is ours over
alpha0, with its c = 1 + our c / alpha0 and its lambda our ridge over alpha0. Its right side is the sum of c q, ours that of (c - 1) q, which costs
nobody anything. Each has the residual of its first profile in its own equations beside its time. Times are by the host's clock, histories and
profiles on the host; on a GPU the device's own time of our call stands beside it.

    python bench/peers/fold_in_peers.py --bouquet build/release/cli/bouquet --batch 1,64,1024 --threads 2
    python bench/peers/fold_in_peers.py --bouquet build/release/cli/bouquet --batch 1,64,1024 --backend cuda
"""

import argparse
import importlib.metadata
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: implicit brings its own threads and asks for this

import numpy as np
import scipy.sparse
from implicit_peer import machine, why_not_on_cpu, why_not_on_gpu

ALPHA0, LAMBDA, NU = 0.1, 0.01, 0.5  # of the models in bench/fold_in_data.cc


def item_vectors(args):
    """Those of `bouquet bench fold-in`: `bench rank` makes the same ones, and writes them."""
    with tempfile.TemporaryDirectory() as folder:
        prefix = os.path.join(folder, "vectors")
        command = [args.bouquet, "bench", "rank", "--paced", "--data-out", prefix, "--backend", args.backend, "--distribution", "decaying"]
        command += ["--items", str(args.items), "--dimension", str(args.dimension), "--seed", str(args.seed)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return np.fromfile(prefix + ".items.f32", np.float32).reshape(args.items, args.dimension)


def histories(items, length, count):
    """Those of bench/fold_in_data.cc, with our confidences, as a count x items matrix."""
    step = items // length
    place = np.arange(count * length, dtype=np.uint64)
    columns = place.astype(np.int64) % length * step + (place * np.uint64(2654435761) % np.uint64(step)).astype(np.int64)
    offsets = np.arange(count + 1) * length
    return scipy.sparse.csr_matrix(((1 + place % np.uint64(7)).astype(np.float32), columns, offsets), shape=(count, items))


def ridge(length, items):
    """engine/ridge_rule.h"""
    return LAMBDA * (length + ALPHA0 * items) ** NU


def residual(gram, vectors, confidences, columns, regularization, profile):
    """|W p - b| / |b| in implicit's equations, in double."""
    q, p = vectors[columns].astype(np.float64), profile.astype(np.float64)
    right = q.T @ confidences
    return float(np.linalg.norm(gram @ p + regularization * p + q.T @ ((confidences - 1) * (q @ p)) - right) / np.linalg.norm(right))


# Each: why_not() -> a line or None; solve(matrix) -> profiles on the host.


class ImplicitOnCpu:
    solver = "Cholesky"

    why_not = staticmethod(why_not_on_cpu)

    def __init__(self, vectors, regularization, args):
        from implicit.cpu.als import AlternatingLeastSquares

        self.threads = args.threads
        self.model = AlternatingLeastSquares(factors=args.dimension, regularization=regularization, alpha=1.0)
        self.model.item_factors = vectors

    def solve(self, matrix):
        self.model.num_threads = min(self.threads, matrix.shape[0])  # more only wait for each other
        return self.model.recalculate_user(np.arange(matrix.shape[0]), matrix)


class ImplicitOnGpu:
    solver = "conjugate gradients, d steps, GPU"

    why_not = staticmethod(why_not_on_gpu)

    def __init__(self, vectors, regularization, args):
        import implicit.gpu
        from implicit.gpu.als import AlternatingLeastSquares

        self.model = AlternatingLeastSquares(factors=args.dimension, regularization=regularization, alpha=1.0)
        self.model.item_factors = implicit.gpu.Matrix(vectors)

    def solve(self, matrix):
        return self.model.recalculate_user(np.arange(matrix.shape[0]), matrix).to_numpy()


def run_bouquet(args, batch):
    command = [args.bouquet, "bench", "fold-in", "--json", "--no-roofline", "--backend", args.backend, "--batch", str(batch)]
    command += ["--threads", str(args.threads)] if args.backend == "cpu" else []
    command += ["--warm-up", "1", "--repetitions", str(args.repetitions)]
    for name in ("items", "dimension", "history", "seed"):
        command += [f"--{name}", str(getattr(args, name))]
    document = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return document["backend"], document["results"][0]


def run_peer(peer, matrix, repetitions):
    """Seconds of each call after one of warm-up, and the last profiles."""
    peer.solve(matrix)
    seconds = []
    for _ in range(repetitions):
        start = time.perf_counter()
        profiles = peer.solve(matrix)
        seconds.append(time.perf_counter() - start)
    return seconds, profiles


def compare(args, batch, peer, gram, vectors, regularization):
    ours = histories(args.items, args.history, batch)
    theirs = ours.copy()
    theirs.data = 1 + ours.data / np.float32(ALPHA0)
    times = {"bouquet": [], "implicit": []}
    for _ in range(args.rounds):
        backend, row = run_bouquet(args, batch)
        seconds, profiles = run_peer(peer, theirs, args.repetitions)
        times["bouquet"].append(row["median_ms"])
        times["implicit"].append(statistics.median(seconds) * 1e3)
    first = slice(0, args.history)
    left = residual(gram, vectors, theirs.data[first].astype(np.float64), theirs.indices[first], regularization, profiles[0])
    return {
        "batch": batch,
        "bouquet": {"backend": backend, "median_ms": times["bouquet"], "device": row["device"], "relative_residual": row["relative_residual"]},
        "implicit": {"median_ms": times["implicit"], "relative_residual": left},
        "ratio_of_medians": statistics.median(times["implicit"]) / statistics.median(times["bouquet"]),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bouquet", default="build/release/cli/bouquet", help="the program")
    parser.add_argument("--backend", choices=["cpu", "cuda"], default="cpu", help="where both compute")
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--history", type=int, default=200, help="pairs of each history")
    parser.add_argument("--batch", default="1,64,1024", help="histories in one call; several, apart by commas")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=10, help="calls of each in a round")
    parser.add_argument("--rounds", type=int, default=3, help="turns of both")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    args = parser.parse_args()
    kind = ImplicitOnGpu if args.backend == "cuda" else ImplicitOnCpu
    why_not = kind.why_not()
    if why_not:
        sys.exit(f"without implicit: {why_not}")

    vectors = item_vectors(args)
    regularization = ridge(args.history, args.items) / ALPHA0
    gram = vectors.T.astype(np.float64) @ vectors.astype(np.float64)
    peer = kind(vectors, regularization, args)
    report = {
        "benchmark": "fold-in beside implicit",
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "solver": kind.solver,
        "versions": {name: importlib.metadata.version(name) for name in ("implicit", "numpy", "scipy")},
        **{name: getattr(args, name) for name in ("backend", "items", "dimension", "history", "threads", "seed", "repetitions", "rounds")},
        "results": [compare(args, int(batch), peer, gram, vectors, regularization) for batch in args.batch.split(",")],
    }
    if args.json:
        print(json.dumps(report, indent=2))
        return
    print(f"{args.items} items, d = {args.dimension}, histories of {args.history}, {args.backend}, {args.threads} threads, {report['machine']['cpu']}")
    for row in report["results"]:
        for name in ("bouquet", "implicit"):
            t = row[name]
            print(f"  batch {row['batch']:5d}  {name:8s} median {statistics.median(t['median_ms']):9.3f} ms  residual {t['relative_residual']:.1e}")
        print(f"  batch {row['batch']:5d}  implicit / bouquet: {row['ratio_of_medians']:.2f} by medians")


if __name__ == "__main__":
    main()
