#!/bin/bash
# Makes a Debian root with its reference policy, as a labelled ext4 image, once: artifacts/selinux-root.ext4, a link into the cache.
# Usage: selinux-root.sh    Needs mmdebstrap, setfiles, mke2fs, root, and the Debian archive; no kernel with SELinux.
set -euo pipefail
root=$(cd "$(dirname "$0")/../../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/sandbox
built=$cache/selinux-root-$(sha256sum "$0" | cut -c1-16).ext4
mkdir -p "$cache" "$root/artifacts"
exec 9>"$cache/selinux-root.lock"
flock 9

if [ ! -e "$built" ]; then
    work=$(mktemp -d "$cache/.selinux-root.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mmdebstrap --quiet --variant=essential --include=selinux-policy-default,policycoreutils,selinux-utils,procps,iproute2 \
        --aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$work/root" >"$work/log" 2>&1 9>&- || { tail -n 20 "$work/log" >&2; exit 1; }
    rm -rf "$work"/root/var/lib/apt/lists/* "$work"/root/var/cache/apt/* "$work"/root/dev/*
    sed -i 's/^SELINUX=.*/SELINUX=enforcing/' "$work/root/etc/selinux/config"
    mkdir -p "$work"/root/{opt/sandbox,var/lib/sandbox}
    # The one thing that the policy lacks to be entered without an init system: the way from the kernel's domain to root's.
    cat >"$work/root/root/lab.cil" <<'CIL'
(allow kernel_t unconfined_t (process (transition siginh rlimitinh noatsecure)))
(roleallow system_r unconfined_r)
(allow unconfined_t bin_t (file (entrypoint)))
(allow unconfined_t kernel_t (fd (use)))
(allow unconfined_t kernel_t (process (sigchld)))
CIL
    chroot "$work/root" semodule -n -i /root/lab.cil >"$work/log" 2>&1 9>&- || { tail -n 20 "$work/log" >&2; exit 1; }
    /usr/sbin/setfiles -q -F -r "$work/root" "$work/root/etc/selinux/default/contexts/files/file_contexts" "$work/root" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
    mke2fs -q -t ext4 -O ^has_journal -d "$work/root" "$work/image" 300M
    mv "$work/image" "$built"
    note=built
fi
ln -sfn "$built" "$root/artifacts/selinux-root.ext4"
echo "${note:-up to date}: $(du -sh "$built" | cut -f1)"
