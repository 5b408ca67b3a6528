#!/usr/bin/env python3
"""What the texts of items and the countries of customers add: Online Retail II, two years of a web shop, cut by time (docs/evaluation.md). Two
models are trained on everything but the last 56 days, with and without attributes, each with the regularization that the 56 days before
chose within that training; then both are judged once on the last 56 days, customer by customer and in pairs:

    known       customers with events before: what is new to them; an item that a model does not know is missed
    cold        customers without, by their country: beside what is popular, which is all that the model without attributes has for them

    bench/retail_attributes.py --data FOLDER [--bouquet build/cpu/cli/bouquet] [--result FILE.json]
"""
import argparse
import collections
import csv
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile

import pyarrow.parquet as parquet

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from paired import paired_interval, write_result  # noqa: E402

DAYS = 56
FILES = {"2009-2010.parquet": ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"),
         "2010-2011.parquet": ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")}
FIXED = ["--dimension", "128", "--validation", f"last-days:{DAYS}", "--epochs", "8"]
REGULARIZATION, ATTRIBUTES = ("0.03", "0.1", "0.3", "1"), ("1", "10", "100")
METRICS = ("ndcg@20", "recall@20")


def read(folder):
    """Rows of customers (invoice, item, description, pieces, time, price, customer, country), each once, in order of time."""
    rows = set()
    for file, names in FILES.items():
        table = parquet.read_table(folder / file)
        rows.update(zip(*(table[name].to_pylist() for name in names)))
    kept = []
    for invoice, item, text, pieces, time, price, customer, country in rows:
        if customer and customer == customer and pieces:
            kept.append((str(time), str(invoice), str(item), text or "", pieces, price, str(int(customer)), country))
    return sorted(kept)


def most_frequent(pairs):
    counts = collections.defaultdict(collections.Counter)
    for key, value in pairs:
        if value.strip():
            counts[key][value.strip()] += 1
    return {key: min(values, key=lambda v: (-values[v], v)) for key, values in counts.items()}


def write(path, header, rows):
    with open(path, "w", newline="") as out:
        csv.writer(out).writerows([header, *rows])


class Shop:
    def __init__(self, bouquet, folder, at):
        self.bouquet, self.at = bouquet, at
        rows = read(folder)
        cut = str(datetime.datetime.fromisoformat(rows[-1][0]) - datetime.timedelta(days=DAYS))
        header = ["time", "basket_id", "item_id", "value", "price", "customer_id"]
        for name, part in (("before", [r for r in rows if r[0] <= cut]), ("after", [r for r in rows if r[0] > cut])):
            write(at / f"{name}.csv", header, [(r[0], r[1], r[2], r[4], r[5], r[6]) for r in part])
        write(at / "items.csv", ["item_id", "text"], sorted(most_frequent((r[2], r[3]) for r in rows).items()))
        write(at / "customers.csv", ["customer_id", "country"], sorted(most_frequent((r[6], r[7]) for r in rows).items()))
        (at / "bouquet.toml").write_text('[attributes.item.text]\ntype = "text"\n[attributes.customer.country]\ntype = "category"\n')

    def train(self, name, flags):
        """The best figure of the select part."""
        done = subprocess.run([self.bouquet, "train", "--events", self.at / "before.csv", "--models", self.at / name, *FIXED, *flags, "--json"],
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        best = max(epoch["select_metric"] for epoch in json.loads(done.stdout)["fit"])
        print(name, *flags[-4:], round(best, 5), flush=True)
        return best

    def with_attributes(self, weight, effect):
        return ["--items", self.at / "items.csv", "--customers", self.at / "customers.csv", "--config", self.at / "bouquet.toml", "--attributes",
                "on", "--regularization", weight, "--customer-attribute-regularization", effect, "--item-attribute-regularization", effect]

    def chosen(self, name, variants):
        flags = max(variants, key=lambda v: self.train(name, v))
        self.train(name, flags)
        return flags

    def figures(self, name, *flags):
        subprocess.run([self.bouquet, "evaluate", "--models", self.at / name, "--test", self.at / "after.csv", "--k", "20", "--per-customer",
                        self.at / "figures.csv", "--json", *flags], check=True, stdout=subprocess.DEVNULL)
        found = collections.defaultdict(dict)
        for row in csv.DictReader(open(self.at / "figures.csv")):
            found[row["group"], row["subject"]][row["customer_id"]] = {metric: float(row[metric]) for metric in METRICS}
        return found


def paired(model, others):
    out = {"customers": len(model)}
    for metric in METRICS:
        out[metric] = {"with attributes": paired_interval([f[metric] for f in model.values()])}
        for name, other in others.items():
            out[metric][name] = paired_interval([other[c][metric] for c in model])
            out[metric][f"with attributes less {name}"] = paired_interval([f[metric] - other[c][metric] for c, f in model.items()])
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True, help="the folder with both Parquet files")
    parser.add_argument("--bouquet", default="build/cpu/cli/bouquet")
    parser.add_argument("--result", type=pathlib.Path, help="write the result there, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        shop = Shop(options.bouquet, options.data, pathlib.Path(scratch))
        plain = shop.chosen("plain", [["--regularization", weight] for weight in REGULARIZATION])
        rich = shop.chosen("rich", [shop.with_attributes(weight, effect) for weight in REGULARIZATION for effect in ATTRIBUTES])
        without = shop.figures("plain")
        attributes = shop.figures("rich", "--customers", shop.at / "customers.csv")
        known = {c: f for c, f in attributes["everybody", "model"].items() if c in without["known", "model"]}
        result = {"data": "Online Retail II", "command": "bench/retail_attributes.py", "train": " ".join(FIXED),
                  "chosen": {"without attributes": plain, "with attributes": rich[-6:]},
                  "known": paired(known, {"without attributes": without["everybody", "model"], "most-popular": without["everybody", "most-popular"]}),
                  "cold": paired(attributes["cold", "model"], {"most-popular": attributes["cold", "most-popular"]})}
    write_result(result, options.result)


if __name__ == "__main__":
    main()
