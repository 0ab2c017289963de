#!/bin/bash
# True where Linux guests can run on this machine itself. `sandbox doctor` decides once it is built: 0 = ready, 3 = only the
# hardware virtualization is missing. Before that, or when it finds more amiss: a processor that virtualizes and a /dev/kvm that opens.
# (A /dev/kvm of a nested kernel that only emulates guests is enough for micro guests, not for Linux.)
sandbox=$(dirname "$0")/../artifacts/bin/sandbox
if [ -x "$sandbox" ]; then
    "$sandbox" doctor >/dev/null 2>&1 </dev/null
    case $? in
        0) exit 0 ;;
        3) exit 1 ;;
    esac
fi
grep -qE '^flags.* (svm|vmx)( |$)' /proc/cpuinfo && [ -r /dev/kvm ] && [ -w /dev/kvm ]
