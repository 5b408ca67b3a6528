#!/usr/bin/env bash
# needed_libraries_test.sh PROGRAM: the program starts on a machine without any CUDA library.
set -euo pipefail
needed=$(readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
if ! grep -q '^libc\.so' <<<"$needed"; then
  printf 'readelf shows no needed libraries of %s:\n%s\n' "$1" "$needed"
  exit 1
fi
if grep -Ei 'cuda|cublas|cusolver|nvrtc|nvidia' <<<"$needed"; then
  printf '%s needs a CUDA library\n' "$1"
  exit 1
fi
