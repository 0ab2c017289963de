#!/bin/bash
# Publishes the exes to artifacts/bin when a source is younger than they are.
set -euo pipefail
cd "$(dirname "$0")/.."
. .ci/newer.sh
stamp=artifacts/bin/.published
if ! newer "$stamp" src seccomp .ci/Exes.proj Directory.* global.json nuget.config; then
    echo "up to date"
    exit 0
fi

mkdir -p artifacts/bin
begun=$(mktemp artifacts/bin/.begun.XXXXXX)
trap 'rm -f "$begun"' EXIT
# Analyzers judge in `make test`; here they would cost half of the time.
dotnet msbuild .ci/Exes.proj -restore -t:Publish -m -v:q -nologo -p:Configuration=Release -p:RunAnalyzers=false -p:UseSharedCompilation=true
mv "$begun" "$stamp" # its time is that of the start: what changed meanwhile is built next time
echo "$(cd artifacts/bin && ls | tr '\n' ' ')"
