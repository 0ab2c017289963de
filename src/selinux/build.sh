#!/bin/bash
# Compiles the policy in both forms. Usage: build.sh OUT    makes in the folder OUT:
#   appliance.policy   a whole policy for a system that has no other (one write to /sys/fs/selinux/load)
#   file_contexts      its labels, for setfiles
#   sandbox.cil        the module for systems with a reference policy (semodule -i)
# Needs secilc. Fails when a neverallow rule is broken.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
work=$(mktemp -d "$1/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT
# 33: what every kernel since 5.9 reads.
secilc -c 33 -o "$work/appliance.policy" -f "$work/file_contexts" "$here"/appliance/{classes,categories,base,passt}.cil "$here"/{sandbox,neverallow}.cil
cat "$here"/{reference/base,sandbox,neverallow}.cil >"$work/sandbox.cil"
chmod 644 "$work"/*
mv "$work"/* "$1/"
echo "appliance.policy $(stat -c %s "$1/appliance.policy") bytes, sandbox.cil"
