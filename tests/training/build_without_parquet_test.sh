#!/usr/bin/env bash
# A build with -DBOUQUET_PARQUET=OFF: the program and the readers' tests compile, pass, and say what they cannot read.
# Usage: build_without_parquet_test.sh SOURCES BUILD_FOLDER PYTHON
set -euo pipefail
sources=$1 build=$2 python=$3

cmake -S "$sources" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_CXX_FLAGS_RELEASE=-O2 -DBOUQUET_PARQUET=OFF \
  -DBOUQUET_WARNINGS_AS_ERRORS="${CI:+ON}" -DPython3_EXECUTABLE="$python"
ninja -C "$build" bouquet reader_tests
"$build/tests/training/reader_tests" --gtest_brief=1

file=$build/orders.parquet
printf 'PAR1' >"$file"
if message=$("$build/cli/bouquet" inspect "$file" 2>&1); then
  printf 'FAILED: a Parquet file was read\n' >&2
  exit 1
fi
grep -q 'this build reads no Parquet' <<<"$message" || {
  printf 'FAILED: %s\n' "$message" >&2
  exit 1
}
