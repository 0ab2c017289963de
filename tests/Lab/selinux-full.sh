#!/bin/bash
# Sandbox's module on Debian's reference policy, in the lab host, enforcing: `make test-selinux-full`. Prints a line for each
# statement that held; ends with 1 at the first that did not. Expects what `make build kernels lab` prepared. Three minutes.
set -euo pipefail
if [ "${1:-}" != inside ]; then
    root=$(cd "$(dirname "$0")/../.." && pwd)
    "$root/tests/Lab/host/selinux-root.sh" >&2
    script=$(cat "$root/tests/Lab/selinux-full.sh")
    gcc -static-pie -O1 -o "$root/artifacts/lab/acts" "$root/tests/Lab/Tests/SeLinux/acts.c"
    cd /
    exec "$root/tests/Lab/lab" run --memory 4096 --timeout 900 --root "$(readlink -f "$root/artifacts/selinux-root.ext4")" \
        --kernel-words "security=selinux enforcing=1 audit=1 audit_backlog_limit=8192 log_buf_len=16M" -- bash -c "$script" selinux-full.sh inside "$root"
fi

# ---- in the lab host ----
mkdir -p /opt/sandbox
cp -r "/mnt$2/artifacts/bin" /opt/sandbox/
cp -rL "/mnt$2/artifacts/share" /opt/sandbox/
sandbox=/opt/sandbox/bin/sandbox
denials() { dmesg | grep -E 'avc: +denied' | grep -E 'sbx_|sandbox' || true; }
holds() { echo "holds: $*"; }
distinct() { sed 's/.*avc: *//; s/ pid=[0-9]*//; s/ ino=[0-9]*//; s/:c[0-9,c]*//g' | sort | uniq -c | sort -rn | head -n 40; }
fails() { echo "FAILS: $*" >&2; denials | distinct >&2; exit 1; }

[ "$(cat /sys/fs/selinux/enforce)" = 1 ] && [[ $(id -Z) == unconfined_u:unconfined_r:unconfined_t:* ]] && holds "enforcing, root is unconfined_t" || fails "not enforcing as unconfined_t: $(id -Z)"
$sandbox selinux status | grep -q 'does not know Sandbox' && holds "before the installation the policy does not know Sandbox" || fails "status before the installation"
said=$($sandbox run --selinux=required -- /bin/true 2>&1 || true)
[[ $said == *'sandbox selinux install'* ]] && holds "required refuses, and names the cure" || fails "required without the module: $said"

$sandbox selinux install || fails "install"
$sandbox selinux status | grep -q 'enforcing; the policy knows Sandbox' && holds "install" || fails "status after the installation"
[ "$(stat -c %C /opt/sandbox/bin/sandbox-vmm | cut -d: -f3)" = sbx_vmm_exec_t ] && holds "the installed files are labelled" || fails "labels: $(ls -Z /opt/sandbox/bin)"
restorecon -nvR /opt/sandbox | grep -q . && fails "restorecon would change: $(restorecon -nvR /opt/sandbox)" || holds "restorecon agrees with them"

mkdir -p /var/lib/sandbox/images
image=/var/lib/sandbox/images/work.img
truncate -s 1M $image
before=$(stat -c %C $image)
dmesg -C
(echo in; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo go) | $sandbox run --selinux=required --timing --balloon --disk $image -- \
    /bin/sh -c 'read line; echo $line; dd if=/dev/urandom of=/dev/vdb bs=4096 count=4 2>/dev/null; sync; head -c 8 /dev/hwrng | wc -c; echo running; read line; exit 7' >/tmp/out 2>/tmp/err &
for wait in $(seq 600); do grep -q running /tmp/out && break; sleep 0.1; done
labels=$(ps -eo label | grep ':sbx_' | sort -u || true)
during=$(stat -c %C $image)
restorecon -R /var/lib/sandbox/images
after_restorecon=$(stat -c %C $image)
touch /tmp/go
code=0; wait $! || code=$?
[ "$code $(tr '\n' ' ' </tmp/out)" = "7 in 8 running " ] && holds "a whole workload runs" || fails "the workload: $code, $(cat /tmp/out /tmp/err)"
[ -z "$(denials)" ] && holds "without one denial" || fails "denials"
pair=$(grep -o 's0:c[0-9]*,c[0-9]*, enforcing' /tmp/err | cut -d, -f1,2)
[ "$labels" = "$(for kind in balloon block rng vmm vsock; do echo "unconfined_u:unconfined_r:sbx_${kind}_t:$pair"; done)" ] && holds "each process in the domain of its kind at $pair" || fails "labels: $labels; $(cat /tmp/err)"
[[ $during == *:sbx_image_t:$pair ]] && [ "$(stat -c %C $image)" = "$before" ] && [ "$after_restorecon" = "$during" ] && holds "the image has the pair while it is used, restorecon or not, and $before again after it" || fails "image: $before, $during, $after_restorecon, $(stat -c %C $image)"

# What the appliance's tests try in each domain (tests/Lab/Tests/SeLinux/DomainTests.cs), as root with all capabilities and behind no
# other wall. Not user namespaces: this policy is older than their class and leaves to the kernel what it does not know. In one,
# no domain has a capability all the same.
for role in vmm device; do cp "/mnt$2/artifacts/lab/acts" /opt/sandbox/acts-$role; chcon -t sbx_${role}_exec_t /opt/sandbox/acts-$role; done
for domain in vmm:vmm block:device vsock:device rng:device balloon:device net:device; do
    type=sbx_${domain%:*}_t role=${domain#*:} user=unconfined_u:unconfined_r:sbx_${domain%:*}_t:s0:c1,c2
    dmesg -C
    /opt/sandbox/acts-vmm in $user /opt/sandbox/acts-$role 5=memfd:system_u:object_r:sbx_memory_t:s0:c1,c2 7=socket:system_u:object_r:sbx_channel_t:s0:c1,c2 -- \
        open=/etc/passwd open=/dev/null openw=/dev/net/tun create=/tmp/acts-file folder=/tmp/acts-folder list=/ stat=/etc/passwd exec=/bin/true execmem execmod execstack \
        socket=1 socket=1/2 socket=2 socket=10/2 socket=16/3 socket=17/3 socket=38/5 socket=40 socketpair mount=/tmp uring uffd bpf perf key shm hostname setcon=$user \
        setexec=$user priority=1 term=1 ptrace=1 mem=1 relabel=5 mapexec=5 listen=7 ioctl=5 >/tmp/acts.out || fails "acts in $type"
    [ "$(wc -l </tmp/acts.out)" = 38 ] && ! grep -vE ' (EACCES|EPERM)$' /tmp/acts.out >&2 && holds "$type: 38 acts refused, $(dmesg | grep -c "avc:.*$type") of the kernel's lines name it" || fails "acts in $type"
done

$sandbox run --disk $image -- /bin/sleep 600 2>/dev/null & launcher=$!
for wait in $(seq 100); do [ "$(stat -c %C $image)" != "$before" ] && break; sleep 0.1; done
sleep 1; kill -KILL $launcher; wait $launcher 2>/dev/null || true
$sandbox selinux restore && [ "$(stat -c %C $image)" = "$before" ] && [ ! -e /var/lib/sandbox/selinux ] && holds "restore after kill -9 of the launcher" || fails "restore: $(stat -c %C $image)"

code=0; $sandbox run --selinux=off -- /bin/sh -c 'exit 5' 2>/tmp/err || code=$?
[ $code = 5 ] && grep -q 'switched off' /tmp/err && holds "off runs without labels and says so" || fails "off: $(cat /tmp/err)"
$sandbox selinux remove && $sandbox selinux status | grep -q 'does not know Sandbox' && [[ $(stat -c %C /opt/sandbox/bin/sandbox-vmm) != *sbx_* ]] && holds "remove" || fails "remove"
