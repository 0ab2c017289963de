# Sourced by the recipes of this folder: where things are, one line a step, one way to get a package.
set -euo pipefail
export LC_ALL=C

kernels_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
share_dir=$(dirname "$kernels_dir")/artifacts/share
cache_dir=${XDG_CACHE_HOME:-$HOME/.cache}/sandbox
mkdir -p "$share_dir" "$cache_dir/debs"

step() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*"; }
fail() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; exit 1; }

# Fails early, with the cure, when a tool is missing. Arguments: tool=package...
need() {
    local pair missing=
    for pair; do command -v "${pair%%=*}" >/dev/null || missing+=" ${pair#*=}"; done
    [ -z "$missing" ] || fail "needs packages that are not installed: apt-get install$missing"
}

# The version of a package that apt would install now.
candidate() {
    local version
    version=$(apt-cache policy "$1" | awk '$1 == "Candidate:" { print $2 }')
    [ -n "$version" ] && [ "$version" != "(none)" ] || fail "apt knows no package $1 (apt-get update; bookworm-security must be among its sources)"
    printf '%s' "$version"
}

# Downloads PACKAGE VERSION into the cache, once; prints the path of the .deb. Installs nothing.
# apt checks the archive's signature and hashes.
fetch_deb() {
    local path
    path=$cache_dir/debs/$1_${2//:/%3a}.deb
    if [ ! -s "$path" ]; then
        local scratch
        scratch=$(mktemp -d "$cache_dir/debs/.new.XXXXXX")
        (cd "$scratch" && apt-get -qq download "$1=$2" 2>"$scratch/log") || { cat "$scratch/log" >&2; rm -rf "$scratch"; fail "cannot download $1 $2"; }
        mv "$scratch"/*.deb "$path"
        rm -rf "$scratch"
    fi
    printf '%s' "$path"
}

# Puts a complete folder in place of the old one in one step, so that no reader sees half of it.
replace_dir() {
    rm -rf "$2.old"
    [ ! -e "$2" ] || mv "$2" "$2.old"
    mkdir -p "$(dirname "$2")"
    mv "$1" "$2"
    rm -rf "$2.old"
}
