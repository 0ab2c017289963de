#!/bin/bash
# True where Linux guests can run on this machine itself: a processor that virtualizes, and a /dev/kvm that opens.
# A /dev/kvm without it (a nested kernel that only emulates guests) is enough for micro guests, not for Linux.
grep -qE '^flags.* (svm|vmx)( |$)' /proc/cpuinfo && [ -r /dev/kvm ] && [ -w /dev/kvm ]
