#!/bin/bash
# Runs every test project that `dotnet build` has made and adds up the runner's own counts.
# Fails when a test fails, when a project has no tests or there is no project, and when a test is skipped: only the micro guests
# may be, where there is no /dev/kvm at all.
set -uo pipefail
cd "$(dirname "$0")/.."
results=artifacts/tests
rm -rf "$results"
mkdir -p "$results"
passed=0 failed=0 skipped=0 broken=0
may_skip=
[ -e /dev/kvm ] || may_skip=Sandbox.Guest.Tests

mapfile -t projects < <(git ls-files 'tests/*.Tests.csproj' 2>/dev/null | grep . || find tests -name '*.Tests.csproj' -not -path '*/obj/*' | sort)
[ ${#projects[@]} != 0 ] || { echo "no test projects" >&2; exit 1; }
for project in "${projects[@]}"; do
    name=$(basename "$project" .csproj)
    # Cut off rather than hang: a whole project takes some minutes; the lab 15 to 30, by the machine.
    timeout -k 10 "${TEST_LIMIT:-2700}" dotnet test "$project" -c Release --no-build --nologo -v q \
        --results-directory "$results" --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" </dev/null
    code=$?
    counters=$(grep -o '<Counters [^>]*>' "$results/$name.trx" 2>/dev/null || true)
    count() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters"; }
    total=$(count total) ran=$(count executed) good=$(count passed)
    if [ "${total:-0}" = 0 ] || { [ $code != 0 ] && [ "$total" = "$good" ]; }; then
        echo "$name: the runner ended with $code and counted ${total:-no} tests" >&2
        broken=1
    fi
    passed=$((passed + ${good:-0}))
    failed=$((failed + ${ran:-0} - ${good:-0}))
    skipped=$((skipped + ${total:-0} - ${ran:-0}))
    if [ "${total:-0}" != "${ran:-0}" ] && [ "$name" != "$may_skip" ]; then
        echo "$name: $((total - ran)) tests were skipped" >&2
        broken=1
    fi
done

# The compiler server of the build is of no more use, and nothing should outlive a test run.
dotnet build-server shutdown --vbcscompiler >/dev/null 2>&1
# Once more at the end, where a reader looks first: what failed and the first words of why.
for trx in "$results"/*.trx; do
    awk '
        /<UnitTestResult .*outcome="Failed"/ { failed = 1 }
        !failed { next }
        /<\/UnitTestResult>/ { failed = 0 }
        /<UnitTestResult / { name = $0; sub(/.* testName="/, "", name); sub(/" .*/, "", name); print "failed: " name; lines = 0 }
        /<Message>/ { message = 1; sub(/.*<Message>/, "") }
        message { last = sub(/<\/Message>.*/, ""); if (lines++ < 20) print "    " $0; message = !last }' "$trx" |
        sed 's/&quot;/"/g; s/&lt;/</g; s/&gt;/>/g; s/&#x[AD];//g; s/&amp;/\&/g'
done
[ ! -s "$results/run-again.txt" ] || { echo "what the lab host lost and was run again:"; cat "$results/run-again.txt"; }
echo "$passed passed, $failed failed, $skipped skipped"
[ $broken = 0 ] && [ $failed = 0 ] && [ $passed -gt 0 ]
