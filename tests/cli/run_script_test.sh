#!/usr/bin/env bash
# ./run, without installing or building anything: its help, its refusals, and what it says when it may not install.
set -euo pipefail
source_root=${BOUQUET_SOURCE:?}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  exit 1
}

help=$("$source_root/run" help)
for command in demo test bench check coverage gpu install-dependencies install-cuda-headers help; do
  grep -q "^./run $command" <<<"$help" || fail "help does not mention $command"
done
[[ $("$source_root/run") == "$help" ]] || fail "no command is not the same as help"

if refusal=$("$source_root/run" frobnicate 2>&1); then fail "an unknown command passed"; fi
grep -q "no command 'frobnicate'" <<<"$refusal" || fail "the refusal does not name the command: $refusal"

# A copy that may not install: no package is there, and there is no sudo. PATH holds only what the script itself needs.
mkdir -p "$scratch/bin" "$scratch/clone/cmake"
cp "$source_root/run" "$scratch/clone/"
for tool in bash dirname grep sort mktemp; do ln -s "$(command -v "$tool")" "$scratch/bin/"; done
printf '#!/bin/sh\nexit 1\n' >"$scratch/bin/dpkg-query"
chmod +x "$scratch/bin/dpkg-query"
sed -i 's/EUID != 0/1/' "$scratch/clone/run" # as a user, whoever runs this test
if refusal=$(PATH=$scratch/bin "$scratch/bin/bash" "$scratch/clone/run" demo 2>&1); then fail "demo passed without its packages"; fi
grep -q '^  sudo apt-get update && sudo apt-get install -y .*libgrpc++-dev' <<<"$refusal" || fail "no command to type: $refusal"
printf 'passed\n'
