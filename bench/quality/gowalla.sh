#!/usr/bin/env bash
# Exact iALS with d = 512 on the Gowalla split of the LightGCN paper, judged by `bouquet evaluate`. Fails below Recall@20 .172 or
# NDCG@20 .141. The settings were chosen on a part of the training split alone (docs/evaluation.md).
#   bench/quality/gowalla.sh [BOUQUET] [DATA] [RESULT.json]
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bouquet=${1:-$root/build/release/cli/bouquet}
data=${2:-${BOUQUET_DATA:-$root/../shared/data}}/gowalla
result=${3:-}
if [ ! -f "$data/train.csv.gz" ]; then
  echo "skipped: no Gowalla at $data; name its parent folder in BOUQUET_DATA" >&2
  exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$bouquet" train --events "$data/train.csv.gz" --models "$folder/models" --validation none --epochs 7 --dimension 512 \
  --unobserved-weight 0.02 --regularization 0.1 --regularization-exponent 0.5
"$bouquet" evaluate --models "$folder/models" --test "$data/test.csv.gz" --k 20 --json >"$folder/result.json"
[ -z "$result" ] || cp "$folder/result.json" "$result"
python3 - "$folder/result.json" <<'PYTHON'
import json, sys
metrics = json.load(open(sys.argv[1]))["metrics"]
recall, ndcg = metrics["recall@20"]["value"], metrics["ndcg@20"]["value"]
print(f"recall@20 {recall:.5f} (at least .172), ndcg@20 {ndcg:.5f} (at least .141)")
sys.exit(0 if recall >= 0.172 and ndcg >= 0.141 else 1)
PYTHON
