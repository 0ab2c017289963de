#!/bin/bash
# The long form of the crash tests: the same tests as in `make test`, with more kills. Prints what they measured.
# Usage: crash-test.sh [KILLS]    KILLS of a Linux guest's disk under fio, of QEMU's, and ten times as many without a guest (default 100)
set -uo pipefail
cd "$(dirname "$0")/.."
export GUEST_KILLS=${1:-100}
export QEMU_KILLS=$GUEST_KILLS KILLS=$((GUEST_KILLS * 10))
failed=0
run() {
    local code
    dotnet test "$1" -c Release --no-build --nologo -v q --filter "$2" --logger "console;verbosity=detailed" </dev/null >artifacts/crash-test.log 2>&1
    code=$?
    grep -E 'kills|Passed |Failed |Message' -A 1 artifacts/crash-test.log
    [ $code = 0 ] || failed=1
}
run tests/Unit FullyQualifiedName~BackendReplacementTests.DeviceProcess_Killed
run tests/Guest FullyQualifiedName~CrashTests.DeviceProcess_Killed
run tests/Lab/Tests FullyQualifiedName~CrashTests
run tests/Lab/Tests FullyQualifiedName~QemuFrontendTests
exit $failed
