#!/usr/bin/env python3
"""Prints what the demo shows: how good the model is, and what a running server offers to a few households. Called by examples/demo.sh."""
import argparse
import datetime
import json
import subprocess
import time

import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet

BASELINE_NAMES = {"personal-frequency": "what each household buys most often", "most-popular": "what most households buy"}


def read_purchases(path: str, columns: str) -> pyarrow.Table:
    """customer, item, time and basket of every purchase, under these names; ids as text."""
    names = dict(pair.split("=") for pair in columns.split(","))
    wanted = {name: names.get(name, default) for name, default in
              [("customer", "customer_id"), ("item", "item_id"), ("time", "time"), ("basket", "basket_id"), ("value", "value")]}
    if path.endswith(".parquet"):
        table = pyarrow.parquet.read_table(path, columns=list(wanted.values()))
    else:
        table = pyarrow.csv.read_csv(path).select(list(wanted.values()))
    table = table.rename_columns(list(wanted))
    table = table.filter(pc.greater(table["value"], 0))
    for name in ("customer", "item"):
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast("string"))
    return table


class Shop:
    """The running server, asked through the program as any client would."""

    def __init__(self, program: str, server: str):
        self.program, self.server = program, server

    def ask(self, command: str, *arguments: str) -> dict:
        done = subprocess.run([self.program, command, "--server", self.server, "--json", *arguments], check=True, capture_output=True, text=True)
        return json.loads(done.stdout)

    def recommend(self, customer: str, k: int, *arguments: str) -> list:
        return self.ask("recommend", "--customer", customer, "-k", str(k), *arguments)["answers"][0]["results"]


def line(item: dict) -> str:
    title, category = item.get("title") or "(no name)", item.get("category") or "-"
    return f"    {category[:12]:12}  {title[:34]:34}  {item['item_id']}"


def verdict(difference: dict) -> str:
    if difference["low"] > 0:
        return "better"
    return "worse" if difference["high"] < 0 else "no difference shown"


def print_quality(title: str, evaluation: dict, metric: str, baselines: list) -> None:
    value = evaluation["metrics"][metric]
    print(f"\n  {title} ({evaluation['customers']:,} households, {metric})")
    print(f"    {'Bouquet':38} {value['value']:.4f}   [{value['low']:.4f}, {value['high']:.4f}]")
    for name in baselines:
        other, difference = evaluation["baselines"][name][metric], evaluation["differences"][name][metric]
        print(f"    {BASELINE_NAMES[name]:38} {other['value']:.4f}   Bouquet is {difference['value']:+.4f} "
              f"[{difference['low']:+.4f}, {difference['high']:+.4f}]: {verdict(difference)}")


def conclusion(with_repeats: dict, new_only: dict, metric: str) -> str:
    repeats = verdict(with_repeats["differences"]["personal-frequency"][metric])
    new = verdict(new_only["differences"]["most-popular"][metric])
    said = {"better": "beats", "worse": "is worse than", "no difference shown": "cannot be told from"}
    return (f"  In plain words: with repeats allowed, Bouquet {said[repeats]} offering each household what it buys most often.\n"
            f"  Among products new to a household, it {said[new]} offering everyone the best-sellers"
            + (", on these data." if new == "better" else ": groceries are mostly repeats."))


def print_evaluations(training: dict, metric: str = "recall@20") -> None:
    by_repeats = {e["protocol"]["repeats"]: e for e in training["evaluations"]}
    print("\nHow good is it? Judged on the last four weeks; the judged model knows only what came before.")
    print("  recall@20: of what a household then bought, the share among the 20 products offered; [95 % intervals], differences paired.")
    print_quality("Buy again and new together", by_repeats["include"], metric, ["personal-frequency", "most-popular"])
    print_quality("New to the household alone", by_repeats["exclude"], metric, ["most-popular"])
    print("\n" + conclusion(by_repeats["include"], by_repeats["exclude"], metric))


def some_customers(purchases: pyarrow.Table) -> list:
    """Three who bought in the last four weeks: of few purchases, of a median number, of many."""
    four_weeks_ago = pc.max(purchases["time"]).as_py() - datetime.timedelta(days=28)
    counts = purchases.group_by("customer").aggregate([("item", "count"), ("time", "max")])
    counts = counts.filter(pc.greater(counts["time_max"], pyarrow.scalar(four_weeks_ago, counts["time_max"].type)))
    counts = counts.sort_by([("item_count", "ascending"), ("customer", "ascending")])
    return [counts["customer"][len(counts) * at // 100].as_py() for at in (20, 50, 90)]


def last_baskets(purchases: pyarrow.Table, customer: str, count: int) -> list:
    """The items that the customer bought last, newest first, each once."""
    own = purchases.filter(pc.equal(purchases["customer"], customer)).sort_by([("time", "descending")])
    return list(dict.fromkeys(own["item"].to_pylist()))[:count]


def print_customer(shop: Shop, purchases: pyarrow.Table, customer: str, names: dict) -> None:
    own = pc.sum(pc.equal(purchases["customer"], customer)).as_py()
    print(f"\nHousehold {customer}, {own:,} purchases")
    print("  bought last")
    for item in last_baskets(purchases, customer, 4):
        print(line(names.get(item, {"item_id": item})))
    print("  buy again")
    for item in shop.recommend(customer, 5, "--include-purchased"):
        if item["source"] == "SOURCE_REPURCHASE":
            print(line(item))
    print("  new to you")
    for item in shop.recommend(customer, 5):
        print(line(item))


def item_names(path: str, columns: str) -> dict:
    names = dict(pair.split("=") for pair in columns.split(","))
    wanted = [names.get("item", "item_id"), names.get("title", "title"), names.get("category", "category")]
    table = pyarrow.parquet.read_table(path, columns=wanted) if path.endswith(".parquet") else pyarrow.csv.read_csv(path).select(wanted)
    item, title, category = (column.to_pylist() for column in table.columns)
    return {str(i): {"item_id": str(i), "title": t, "category": c} for i, t, c in zip(item, title, category)}


def print_product(shop: Shop, purchases: pyarrow.Table, names: dict) -> None:
    counts = purchases.group_by("item").aggregate([("customer", "count")]).sort_by([("customer_count", "descending"), ("item", "ascending")])
    best_sellers = counts["item"].to_pylist()
    product = next((item for item in best_sellers if "PASTA" in str(names.get(item, {}).get("title")).upper()), best_sellers[0])
    print("\nThe product")
    print(line(names.get(product, {"item_id": product})))
    print("  similar: liked by the same households")
    for item in shop.ask("similar", "--item", product, "-k", "5")["answers"][0]["results"]:
        print(line(item))
    print("  cross-sell: in the same basket more often than by chance (lift)")
    for row in shop.ask("cross-sell", "--item", product, "-k", "5")["results"]:
        print(f"{line(row['item']):65}  {row['lift']:5.1f} x" if "lift" in row else line(row["item"]))


def print_offers(offers: list) -> None:
    for item in offers:
        print(line(item))
        for reason in item.get("reasons", [])[:1]:
            print(f"        {reason}")


def print_shopper(shop: Shop, customer: str) -> None:
    """Somebody is offered something, buys it, and looks again."""
    print(f"\nThe shopper: household {customer} looks, and buys")
    before = shop.recommend(customer, 4, "--explain", "top")
    print_offers(before)
    bought = before[0]
    began = time.perf_counter()
    recorded = shop.ask("record", "--customer", customer, "--item", bought["item_id"])
    kept = time.perf_counter()
    answer = shop.ask("recommend", "--customer", customer, "-k", "4", "--explain", "top")["answers"][0]
    answered = time.perf_counter()
    print(f"  buys {bought['title'] or bought['item_id']}: on disk after {1000 * (kept - began):.0f} ms "
          f"(profile version {recorded['results'][0]['profile_version']}), and offered instead, {1000 * (answered - kept):.0f} ms later")
    print_offers(answer["results"])
    if bought["item_id"] in (item["item_id"] for item in answer["results"]):
        raise SystemExit("demo: what was bought is offered again")
    print("  (each time includes the start of a client program: about all of it)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("program", "server", "training", "events", "items", "columns"):
        parser.add_argument("--" + name, required=True)
    options = parser.parse_args()
    with open(options.training, encoding="utf-8") as file:
        training = json.load(file)
    purchases = read_purchases(options.events, options.columns)
    names = item_names(options.items, options.columns)
    shop = Shop(options.program, options.server)

    print(f"\n{training['read']['events']:,} purchases of {training['customers']:,} households, {training['items']:,} products; "
          f"trained and judged in {training['seconds']:.0f} s on {training['backend']}.")
    print_evaluations(training)
    print(f"\nAsked over gRPC ({options.server}):")
    for customer in some_customers(purchases):
        print_customer(shop, purchases, customer, names)
    print_product(shop, purchases, names)
    print_shopper(shop, some_customers(purchases)[1])


if __name__ == "__main__":
    main()
