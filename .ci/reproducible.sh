#!/bin/bash
# Builds the exes twice from two clones of the committed tree in folders of different names, and compares them byte by byte.
# Takes a few minutes. Prints a line for each exe; fails when one differs.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for clone in one other/place; do
    git clone -q --no-hardlinks "$root" "$work/$clone"
    (cd "$work/$clone" && .ci/publish.sh >"$work/log" 2>&1) || { tail -n 40 "$work/log" >&2; exit 1; }
done
code=0
for exe in "$work"/one/artifacts/bin/*; do
    name=$(basename "$exe")
    if cmp -s "$exe" "$work/other/place/artifacts/bin/$name"; then
        echo "$name: same bytes, $(sha256sum "$exe" | cut -c1-16)"
    else
        echo "$name: differs" >&2
        [ -z "${KEEP:-}" ] || cp "$exe" "$KEEP/$name.one" && cp "$work/other/place/artifacts/bin/$name" "$KEEP/$name.other"
        code=1
    fi
done
exit $code
