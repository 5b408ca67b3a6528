#!/usr/bin/env python3
"""Items that nobody has taken yet: trains without the hidden items of citeulike_t, which the model knows by their words alone, and ranks
them among each other (docs/evaluation.md): `bouquet evaluate --among` of a model with the prior alone and of one with the content path, beside
the content neighbours, the most popular, and what drawing items by lot would give. With --choose S the hidden items are others, a fifth of the
warm ones drawn with the seed S: what settings are chosen on.

    bench/cold_items.py --data DIR [--bouquet build/cpu/cli/bouquet] [FLAGS OF bouquet train...]
"""
import argparse
import collections
import csv
import gzip
import json
import pathlib
import random
import subprocess
import tempfile

from paired import write_result

K = 20
WORDS = 5000  # the most frequent; more do not change the figures of the literature
SETTINGS = ["--dimension", "128", "--epochs", "5", "--unobserved-weight", "0.05", "--regularization", "0.05"]


def read(folder):
    hidden = {line.strip() for line in gzip.open(folder / "cold_items.txt.gz", "rt") if line.strip()}
    events = list(csv.reader(gzip.open(folder / "events.csv.gz", "rt")))[1:]
    texts = [[pair.split(":") for pair in line.split()[1:]] for line in gzip.open(folder / "mult.dat.gz", "rt")]
    return hidden, events, texts


def frequent_words(texts):
    counts = collections.Counter()
    for text in texts:
        for word, count in text:
            counts[word] += int(count)
    return {word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:WORDS]}


def figures(of):
    return {metric: {name: round(value, 5) for name, value in of[metric].items()} for metric in (f"recall@{K}", f"ndcg@{K}")}


def write_events(path, events):
    path.write_text("customer_id,item_id\n" + "".join(f"{customer},{item}\n" for customer, item in events))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="the folder with cold_items.txt.gz, events.csv.gz and mult.dat.gz")
    parser.add_argument("--bouquet", default="build/cpu/cli/bouquet")
    parser.add_argument("--choose", type=int, metavar="S", help="hide a fifth of the warm items instead, drawn with this seed")
    parser.add_argument("--result", type=pathlib.Path, help="write the result there, as JSON")
    options, flags = parser.parse_known_args()
    hidden, events, texts = read(options.data)
    if options.choose is not None:
        events = [e for e in events if e[1] not in hidden]
        never, warm = hidden, sorted({item for _, item in events})
        hidden = set(random.Random(options.choose).sample(warm, len(warm) // 5))
        texts = [[] if str(item) in never else text for item, text in enumerate(texts)]
    words = frequent_words(texts)
    with tempfile.TemporaryDirectory() as scratch:
        at = pathlib.Path(scratch)
        write_events(at / "train.csv", [e for e in events if e[1] not in hidden])
        write_events(at / "test.csv", [e for e in events if e[1] in hidden])
        (at / "hidden.txt").write_text("\n".join(sorted(hidden)) + "\n")
        rows = (f"{item},{'|'.join(f'{w}:{c}' for w, c in text if w in words)}\n" for item, text in enumerate(texts))
        (at / "items.csv").write_text("item_id,words\n" + "".join(rows))
        (at / "bouquet.toml").write_text('[attributes.item.words]\ntype = "set"\nweighted = true\nmin_count = 1\nmax_values = 5000\n')
        train = [options.bouquet, "train", "--events", at / "train.csv", "--items", at / "items.csv", "--config", at / "bouquet.toml",
                 "--models", at / "models", "--attributes", "on", "--validation", "none", *SETTINGS, *flags]
        found = {}
        for weight, what in (("0", "prior alone"), (None, "prior and content path")):
            subprocess.run(train + ([] if weight is None else ["--content-weight", weight]), check=True, stdout=subprocess.DEVNULL)
            done = subprocess.run([options.bouquet, "evaluate", "--models", at / "models", "--test", at / "test.csv", "--among", at / "hidden.txt",
                                   "--k", str(K), "--json"], check=True, stdout=subprocess.PIPE)
            found[what] = json.loads(done.stdout)
    full = found["prior and content path"]
    # Of a relevant items among the offered, a draw of K finds K a / offered on average, of which the recall is a part of a.
    result = {"data": "citeulike_t", "command": "bench/cold_items.py", "hidden": f"chosen with {options.choose}" if options.choose is not None else
              "those of the protocol", "offered": len(hidden), "customers": full["customers"], "train": " ".join([*SETTINGS, *flags]),
              "random": {f"recall@{K}": round(K / len(hidden), 5)}, "prior and content path": figures(full["metrics"]),
              "prior alone": figures(found["prior alone"]["metrics"]),
              **{name: figures(of) for name, of in full["baselines"].items()},
              **{f"prior and content path less {name}": figures(of) for name, of in full["differences"].items()}}
    write_result(result, options.result)


if __name__ == "__main__":
    main()
