#!/usr/bin/env python3
"""Items that nobody has taken yet: trains without the hidden items of citeulike_t, which the model knows by their words alone, and ranks
them among each other (docs/evaluation.md). Prints what `bouquet evaluate --among` prints, of a model with the prior alone and of one with the
content path: the model beside the content neighbours and the most popular. With --choose S the hidden items are others, a fifth of the warm
ones drawn with the seed S: what settings are chosen on.

    bench/cold_items.py --data DIR [--bouquet build/cpu/cli/bouquet] [FLAGS OF bouquet train...]
"""
import argparse
import collections
import csv
import gzip
import pathlib
import random
import subprocess
import tempfile

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


def write_events(path, events):
    path.write_text("customer_id,item_id\n" + "".join(f"{customer},{item}\n" for customer, item in events))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="the folder with cold_items.txt.gz, events.csv.gz and mult.dat.gz")
    parser.add_argument("--bouquet", default="build/cpu/cli/bouquet")
    parser.add_argument("--choose", type=int, metavar="S", help="hide a fifth of the warm items instead, drawn with this seed")
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
        for weight, what in (("0", "the prior alone"), (None, "the prior and the content path")):
            print(f"== {what}", flush=True)
            subprocess.run(train + ([] if weight is None else ["--content-weight", weight]), check=True)
            subprocess.run([options.bouquet, "evaluate", "--models", at / "models", "--test", at / "test.csv", "--among", at / "hidden.txt",
                            "--k", "20"], check=True)


if __name__ == "__main__":
    main()
