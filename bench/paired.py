"""What the benchmarks that compare customers in pairs share. The intervals are those of training/bootstrap.h: the 95 % percentile interval of
a mean over customers; of a column of paired differences it is the paired one."""
import datetime
import json
import os
import random

RESAMPLES = 2000


def paired_interval(column, seed=1):
    draw = random.Random(seed)
    n = len(column)
    means = sorted(sum(draw.choices(column, k=n)) / n for _ in range(RESAMPLES))
    at = [round(x, 5) for x in (sum(column) / n, means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)])]
    return dict(zip(("value", "low", "high"), at))


def machine():
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"{names[0] if names else 'unknown'}, {len(os.sched_getaffinity(0))} cores"


def write_result(result, path=None):
    """Prints what a script found, with the day and the machine, as JSON; also into the file `path`, if there is one."""
    text = json.dumps({"date": str(datetime.date.today()), "machine": machine(), **result}, indent=1)
    print(text)
    if path:
        path.write_text(text + "\n")
