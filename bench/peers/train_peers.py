"""Seconds per exact training epoch: `bouquet bench train` beside implicit, interleaved in the same run: on the CPU beside its Cholesky
solver, with --backend cuda beside its GPU solver, which takes three steps of conjugate gradients instead: compare the objectives too.

Both do the same work from the same start: the items are solved first, from our initial customer factors, so implicit is given
the transposed matrix. Its objective, sum over pairs of alpha (1 - s)^2 + the other pairs' s^2 + lambda (|P|^2 + |Q|^2), is ours with
alpha0 = 1, c = alpha - 1, r = alpha / (alpha - 1), nu = 0, less alpha / (alpha - 1) for every pair: the two are printed in its terms.

    python bench/peers/train_peers.py --bouquet build/release/cli/bouquet --events train.csv.gz --rounds 3 --json result.json
    python bench/peers/train_peers.py --bouquet build/release/cli/bouquet --preset ml20m --rounds 2
    python bench/peers/train_peers.py --bouquet build/release/cli/bouquet --preset ml20m --rounds 5 --epochs 3 --backend cuda
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

PRESETS = {"ml20m": (138493, 26744, 18100000), "ml20m-tenth": (13849, 26744, 1810000), "small": (2000, 1000, 50000)}


def read_events(paths):
    """The distinct (customer, item) pairs of CSV or Parquet files, as a customers x items matrix of ones."""
    import pyarrow.csv
    import pyarrow.parquet

    read = lambda path: pyarrow.parquet.read_table(path) if path.endswith(".parquet") else pyarrow.csv.read_csv(path)
    table = pyarrow.concat_tables([read(path).select(["customer_id", "item_id"]) for path in paths]).combine_chunks()
    codes = lambda name: table[name].combine_chunks().dictionary_encode().indices.to_numpy()
    return ones(codes("customer_id"), codes("item_id"))


def ones(customers, items, shape=None):
    matrix = scipy.sparse.csr_matrix((np.ones(len(customers), np.float32), (customers, items)), shape=shape)
    matrix.sum_duplicates()
    matrix.data[:] = 1
    matrix.sort_indices()
    return matrix


def made_up(preset, seed):
    """Log-normal activity and power-law popularity, at about the preset's number of distinct pairs."""
    customers, items, pairs = PRESETS[preset]
    random = np.random.default_rng(seed)
    activity = np.exp(1.1 * random.standard_normal(customers))
    lengths = np.clip(np.round(activity / activity.sum() * pairs), 1, items // 4).astype(np.int64)
    popularity = np.cumsum((np.arange(items) + 20.0) ** -0.9)
    matrix = None
    missing = lengths
    while missing.sum() > pairs // 100:  # repeats fall away, so draw what is missing again
        rows = np.repeat(np.arange(customers), missing)
        columns = np.searchsorted(popularity, random.random(len(rows)) * popularity[-1])
        more = ones(rows, columns, (customers, items))
        matrix = more if matrix is None else matrix + more
        matrix.data[:] = 1
        missing = lengths - np.diff(matrix.indptr)
    matrix.sort_indices()
    return matrix


def write_matrix(matrix, path):
    """The format of bench/bench_matrix.h."""
    with open(path, "wb") as file:
        np.array(matrix.shape, np.int32).tofile(file)
        np.array([matrix.nnz], np.int64).tofile(file)
        matrix.indptr.astype(np.int64).tofile(file)
        matrix.indices.astype(np.int32).tofile(file)


def mix(x):
    with np.errstate(over="ignore"):
        x = x + np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def initial_profiles(seed, rows, d):
    """engine/initial_factors.cc, the customers' side."""
    unit = lambda bits: ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    stream = mix(mix(np.array([seed], np.uint64)) ^ np.uint64(0))
    row_keys = mix(stream ^ mix(np.arange(rows, dtype=np.uint64)))
    keys = mix(row_keys[:, None] ^ np.arange(d, dtype=np.uint64)[None, :])
    return (0.1 / np.sqrt(d) * np.sqrt(-2 * np.log(unit(keys))) * np.cos(2 * np.pi * unit(mix(keys)))).astype(np.float32)


def objective(matrix, profiles, items, alpha, regularization):
    """implicit's objective, in double."""
    p, q = profiles.astype(np.float64), items.astype(np.float64)
    total = np.sum((p.T @ p) * (q.T @ q)) + regularization * (np.sum(p * p) + np.sum(q * q))
    pairs = matrix.tocoo()
    for first in range(0, matrix.nnz, 200000):
        rows, columns = pairs.row[first : first + 200000], pairs.col[first : first + 200000]
        s = np.einsum("ij,ij->i", p[rows], q[columns])
        total += np.sum(alpha * (1 - s) ** 2 - s**2)
    return float(total)


class ImplicitOnCpu:
    solver = "Cholesky (use_cg=False)"

    why_not = staticmethod(why_not_on_cpu)

    def __init__(self, matrix, args):
        self.transposed = matrix.T.tocsr()
        self.args = args

    def run(self, start):
        from implicit.cpu.als import AlternatingLeastSquares

        args = self.args
        model = AlternatingLeastSquares(
            factors=args.dimension, regularization=args.regularization, alpha=args.alpha, use_cg=False, num_threads=args.threads,
            iterations=args.epochs, calculate_training_loss=False,
        )
        model.item_factors = start.copy()  # of the transposed problem: our customers
        model.user_factors = np.zeros((self.transposed.shape[0], args.dimension), np.float32)
        seconds = []
        model.fit(self.transposed, show_progress=False, callback=lambda epoch, elapsed, loss: seconds.append(elapsed))
        return seconds, model.item_factors, model.user_factors


class ImplicitOnGpu:
    solver = "conjugate gradients, 3 steps, GPU"

    why_not = staticmethod(why_not_on_gpu)

    def __init__(self, matrix, args):
        self.transposed = matrix.T.tocsr() * np.float32(args.alpha)  # its fit() on a GPU takes no notice of alpha
        self.args = args

    def run(self, start):
        import implicit.gpu
        from implicit.gpu.als import AlternatingLeastSquares

        args = self.args
        model = AlternatingLeastSquares(factors=args.dimension, regularization=args.regularization, iterations=args.epochs)
        model.item_factors = implicit.gpu.Matrix(start.copy())
        model.user_factors = implicit.gpu.Matrix.zeros(self.transposed.shape[0], args.dimension)
        seconds = []
        model.fit(self.transposed, show_progress=False, callback=lambda epoch, elapsed, loss: seconds.append(elapsed))
        return seconds, model.item_factors.to_numpy(), model.user_factors.to_numpy()


def run_bouquet(args, path):
    alpha = args.alpha
    command = [args.bouquet, "bench", "train", "--matrix", path, "--json", "--no-roofline", "--warm-up", "0", "--backend", args.backend]
    command += ["--threads", str(args.threads)] if args.backend == "cpu" else []
    command += ["--dimension", str(args.dimension), "--epochs", str(args.epochs), "--seed", str(args.seed), "--unobserved-weight", "1"]
    command += ["--regularization", str(args.regularization), "--regularization-exponent", "0"]
    command += ["--confidence", repr(alpha - 1), "--target", repr(alpha / (alpha - 1))]
    document = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return document["backend"], document["results"][0]


def summary(values):
    return {"median": statistics.median(values), "low": min(values), "high": max(values), "all": values}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bouquet", default="build/release/cli/bouquet", help="the program")
    parser.add_argument("--events", nargs="+", help="files with the columns customer_id and item_id")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="small", help="a made-up matrix, without --events")
    parser.add_argument("--backend", choices=["cpu", "cuda"], default="cpu", help="where both compute")
    parser.add_argument("--dimension", type=int, default=128)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--epochs", type=int, default=1, help="epochs per round, from the same start each time")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alpha", type=float, default=10.0, help="more than 1: implicit's confidence of a pair")
    parser.add_argument("--regularization", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", help="write the result here")
    args = parser.parse_args()
    if args.alpha <= 1:
        parser.error("--alpha must be more than 1: at 1 implicit's confidences vanish and its epochs are too easy")
    kind = ImplicitOnGpu if args.backend == "cuda" else ImplicitOnCpu
    why_not = kind.why_not()
    if why_not:
        sys.exit(f"without implicit: {why_not}")

    matrix = read_events(args.events) if args.events else made_up(args.preset, args.seed)
    name = ", ".join(os.path.basename(path) for path in args.events) if args.events else f"made up, {args.preset}"
    print(f"{name}: {matrix.shape[0]} customers x {matrix.shape[1]} items, {matrix.nnz} pairs", file=sys.stderr)
    result = {"benchmark": "train, beside implicit", "date": time.strftime("%Y-%m-%d"), "machine": machine(), "matrix": name,
              "customers": matrix.shape[0], "items": matrix.shape[1], "pairs": matrix.nnz, "dimension": args.dimension,
              "backend": args.backend, "threads": args.threads, "alpha": args.alpha, "regularization": args.regularization, "epochs_per_round": args.epochs,
              "versions": {name: importlib.metadata.version(name) for name in ("implicit", "numpy", "scipy")}}
    peer = kind(matrix, args)
    start = initial_profiles(args.seed, matrix.shape[0], args.dimension)
    ours, theirs, ratios = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "matrix.bin")
        write_matrix(matrix, path)
        for round_number in range(args.rounds):
            backend, bouquet = run_bouquet(args, path)
            peer_seconds, profiles, items = peer.run(start)
            ours += bouquet["epoch_seconds"]
            theirs += peer_seconds
            ratios.append(statistics.median(peer_seconds) / statistics.median(bouquet["epoch_seconds"]))
            print(f"round {round_number + 1}: bouquet {ours[-1]:.3f} s, implicit {theirs[-1]:.3f} s per epoch, ratio {ratios[-1]:.1f}", file=sys.stderr)
    alpha = args.alpha
    result["bouquet"] = {"backend": backend, "epoch_seconds": summary(ours), "device": bouquet["device"],
                         "objective": bouquet["objective"] - matrix.nnz * alpha / (alpha - 1)}
    result["implicit"] = {"solver": kind.solver, "epoch_seconds": summary(theirs),
                          "objective": objective(matrix, profiles, items, alpha, args.regularization)}
    result["ratio"] = summary(ratios)
    result["objective_difference"] = result["bouquet"]["objective"] / result["implicit"]["objective"] - 1
    text = json.dumps(result, indent=2)
    print(text)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            file.write(text + "\n")


if __name__ == "__main__":
    main()
