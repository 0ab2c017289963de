#!/bin/bash
# Builds the targets into a folder and lets SharpFuzz count the branches of the rooms that they reach. Usage: fuzz/instrument.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$1
tools=artifacts/fuzz/tools
[ -x "$tools/sharpfuzz" ] || dotnet tool install SharpFuzz.CommandLine --version 2.3.0 --tool-path "$tools" >/dev/null
rm -rf "$bin"
# Not -o: that would mix the shipped Sandbox.Memory with the watched one.
dotnet build fuzz/Sandbox.Fuzz.Guided -c Release -p:RunAnalyzers=false -v q -nologo -clp:NoSummary >&2
mkdir -p "$(dirname "$bin")"
cp -r fuzz/Sandbox.Fuzz.Guided/bin/Release/net10.0 "$bin"
for room in Sandbox.Virtio Sandbox.VhostUser Sandbox.Control Sandbox.Boot sandbox-device sandbox-vmm sandbox-seccomp Sandbox.Cli Sandbox; do
    "$tools/sharpfuzz" "$bin/$room.dll" >/dev/null || echo "$room is not instrumented" >&2
done
