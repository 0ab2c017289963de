#!/bin/bash
# Makes a Debian root folder with Python for the tests, once: artifacts/debian-root, a link into the cache.
# Usage: debian-root.sh    Needs mmdebstrap, root, and the Debian archive.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sandbox
built=$cache/debian-root-$(sha256sum "$0" | cut -c1-16)
mkdir -p "$cache" "$root/artifacts"
exec 9>"$cache/debian-root.lock"
flock 9

if [ ! -e "$built/usr/bin/python3" ]; then
    work=$(mktemp -d "$cache/.debian-root.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    # The sources are this machine's own; documentation and package lists are of no use in a root that is only run.
    mmdebstrap --quiet --variant=minbase --include=python3-minimal --aptopt='Acquire::Languages "none"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        bookworm "$work/root" >"$work/log" 2>&1 9>&- || { tail -n 20 "$work/log" >&2; exit 1; }
    rm -rf "$work"/root/var/lib/apt/lists/* "$work"/root/var/cache/apt/* "$work"/root/dev/*
    chmod 755 "$work/root"
    rm -rf "$built"
    mv "$work/root" "$built"
    note=built
fi
ln -sfn "$built" "$root/artifacts/debian-root"
echo "${note:-up to date}: $(du -sh "$built" | cut -f1)"
