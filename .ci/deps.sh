#!/bin/bash
# Installs the Debian packages that are missing, and only those. Usage: deps.sh GROUP...    (files in packages/)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# The one thing apt cannot give: Debian has no .NET SDK.
wanted=$(sed -n 's/.*"version": "\([0-9]*\.[0-9]*\)\..*/\1/p' "$here/../global.json")
if ! dotnet --list-sdks 2>/dev/null | grep -q "^$wanted\."; then
    echo ".NET SDK $wanted is missing: install dotnet-sdk-$wanted as https://learn.microsoft.com/dotnet/core/install/linux-debian says" >&2
    exit 1
fi

cd "$here/packages"
mapfile -t missing < <(cat "$@" | sort -u | while read -r package; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
done)
# Without package lists the kernel recipes cannot find their packages either.
listed() { [[ $(apt-cache policy linux-image-cloud-amd64) == *'Candidate: '[0-9]* ]]; }
if [ ${#missing[@]} = 0 ] && listed; then
    echo "nothing is missing"
    exit 0
fi

[ "$(id -u)" = 0 ] || { echo "as root: apt-get install ${missing[*]}" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -q --no-install-recommends "${missing[@]}"; }
listed || apt-get update -q
# Old lists name packages that are gone: then once more with new ones.
[ ${#missing[@]} = 0 ] || install || { apt-get update -q && install; }
echo "installed: ${missing[*]:-package lists}"
