# What a clone can do. Every target is safe to repeat and skips what is done.
#
#   make run [ARGS='run -- /bin/sh -c "uname -a; exit 7"']   build all that is missing and run sandbox with ARGS
#   make test          build and run every test this machine can run
#   make build         the exes, to artifacts/bin        make kernels   kernels and built-in root, to artifacts/share
#   make tuned         the tuned kernel (compiles it)    make lab       the lab host (see tests/Lab/README.md)
#   make deps          install missing Debian packages   make clean     remove what was built; the cache stays
#   make fuzz TARGET=blk TIME=60      fuzzes one target     make fuzz-all TIME=600   spreads the time over all (fuzz/README.md)
#   make fuzz-mutants  plants known flaws, each must be found        make fuzz-cover, fuzz-afl, fuzz-libfuzzer   see fuzz/README.md
#   make timing-table  start times beside QEMU's         make distclean remove the cache too
#   make bench         figures beside their counterparts, taken in turn: artifacts/bench/report.md and report.html
#   make bench-confinement   what jail and filters cost alone      make bench-lab   Linux guests beside QEMU's
#   make test-selinux-full   the SELinux module on Debian's reference policy, enforcing
#   make churn-selinux 2,000 starts and ends under SELinux, enforcing: pairs of categories and labels of images
#   make crash-test    kills device processes 100 times and more under load, with our VMM and with QEMU (half an hour)
#   make stress [TIME=180]   Linux's drivers under load for minutes, taken away and given back
#   make walls         what each wall of the jail refuses alone, act by act
#   make reproducible  builds the committed tree twice in two places and compares the exes
#
# make itself ends with 2 when a command fails. The command's own exit code: run `make run` once, then .ci/sandbox.sh ARGS.

SHELL := /bin/bash
.DEFAULT_GOAL := build
.PHONY: stress test-selinux-full churn-selinux bench bench-lab bench-confinement fuzz fuzz-all fuzz-mutants fuzz-cover fuzz-afl fuzz-libfuzzer fuzz-build reproducible run test build kernels tuned lab deps deps-test test-build debian-root fio-root crash-test timing-table counts clean distclean

ARGS ?= run -- /bin/uname -a
step := @.ci/step.sh
cache := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sandbox
needs_lab := $(shell .ci/has-kvm.sh || echo lab)

run: build kernels $(needs_lab)
	@.ci/sandbox.sh $(ARGS) || { code=$$?; echo "sandbox        exit code $$code" >&2; exit $$code; }

deps:
	$(step) packages .ci/deps.sh build $(needs_lab)

build: deps
	$(step) exes .ci/publish.sh
	$(step) "selinux policy" src/selinux/build.sh artifacts/share/selinux

kernels: deps
	$(step) kernel kernels/debian.sh
	$(step) rootfs kernels/rootfs.sh

lab: deps
	$(step) "lab host" tests/Lab/host/prepare.sh

deps-test:
	$(step) packages .ci/deps.sh build lab test tuned

tuned: deps-test
	$(step) "tuned kernel" kernels/tuned.sh

debian-root: deps-test
	$(step) "debian root" tests/Lab/host/debian-root.sh

fio-root: deps-test
	$(step) "fio root" tests/Lab/host/fio-root.sh

test-build: deps-test
	$(step) tests dotnet build Sandbox.sln -c Release -p:UseSharedCompilation=true -v q -nologo -clp:NoSummary

# The jail whose walls tests/Confinement can leave out, and a runtime to put under the filters.
test-jail: deps-test
	$(step) "test jail" dotnet publish tests/TestJail -c Release -v q -nologo -p:RunAnalyzers=false
	$(step) "test runtime" dotnet publish tests/TestRuntime -c Release -v q -nologo -p:RunAnalyzers=false

walls: test-build build kernels test-jail
	@dotnet test tests/Confinement -c Release --no-build --nologo -v q --filter FullyQualifiedName~WallTests >&2
	@cat artifacts/walls.txt

# The compiler with all analyzers first: what it has compiled is published without doing it again.
test: deps-test test-build test-jail build kernels tuned lab debian-root fio-root
	@.ci/test.sh

TARGET ?= blk
TIME ?= 60
SEED ?= 1
fuzzer = dotnet fuzz/Sandbox.Fuzz/bin/Release/net10.0/sandbox-fuzz.dll

fuzz-build: deps-test
	$(step) fuzzer dotnet build fuzz/Sandbox.Fuzz -c Release -p:UseSharedCompilation=true -v q -nologo -clp:NoSummary

fuzz: fuzz-build
	@$(fuzzer) run $(TARGET) --time $(TIME) --seed $(SEED) --corpus fuzz/corpus --save artifacts/fuzz/corpus

fuzz-all: fuzz-build
	@$(fuzzer) all --time $(TIME) --seed $(SEED) --corpus fuzz/corpus --save artifacts/fuzz/corpus

fuzz-mutants: fuzz-build
	@$(fuzzer) mutants

fuzz-cover: fuzz-build
	@fuzz/cover.sh

fuzz-afl: fuzz-build
	$(step) packages .ci/deps.sh fuzz
	@fuzz/afl.sh $(TARGET) $(TIME)

fuzz-libfuzzer: fuzz-build
	$(step) packages .ci/deps.sh fuzz
	@fuzz/libfuzzer.sh $(TARGET) $(TIME)

# ROUNDS=N: how often each figure is taken. On a quiet machine only.
bench: deps-test build kernels tuned lab fio-root
	$(step) bench dotnet build tests/Bench -c Release -p:RunAnalyzers=false -v q -nologo -clp:NoSummary
	@dotnet tests/Bench/bin/Release/net10.0/Sandbox.Bench.dll $(ROUNDS)

# Only Linux guests, beside QEMU's; in the lab host where this machine cannot run them.
bench-lab: deps-test build kernels tuned lab fio-root
	$(step) bench dotnet build tests/Bench -c Release -p:RunAnalyzers=false -v q -nologo -clp:NoSummary
	@dotnet tests/Bench/bin/Release/net10.0/Sandbox.Bench.dll $(or $(ROUNDS),5) lab

# Only what jail and filters cost: start and memory, with and without them.
bench-confinement: deps-test build
	$(step) bench dotnet build tests/Bench -c Release -p:RunAnalyzers=false -v q -nologo -clp:NoSummary
	@dotnet tests/Bench/bin/Release/net10.0/Sandbox.Bench.dll $(or $(ROUNDS),15) confinement

# The module on Debian's reference policy: installed, a workload, removed; in the lab host with a Debian root of its own. Three minutes.
test-selinux-full: deps-test build kernels lab
	@tests/Lab/selinux-full.sh

# 2,000 starts and ends under the enforced SELinux policy, and a launcher killed at each of its landmarks; 25 minutes in the lab host.
churn-selinux: deps-test test-build build kernels lab
	SELINUX_CHURN_STARTS=2000 dotnet test tests/Lab/Tests -c Release --no-build --nologo --filter 'FullyQualifiedName~ChurnTests.Pairs|FullyQualifiedName~ChurnTests.Launcher' --logger "console;verbosity=normal"

crash-test: test-build build kernels lab fio-root
	@.ci/crash-test.sh

# Linux's own drivers under load: TIME seconds of fio, iperf3, vsock, entropy and balloon at once, then ROUNDS of each driver without its device.
stress: build kernels lab fio-root
	@tests/Lab/stress.sh $(or $(TIME),180) $(or $(ROUNDS),20)

# What a start, a boot, an exit and a block request cost in instructions; `make test` holds it to tests/Lab/counts.baseline.
counts: build kernels tuned lab
	@tests/Lab/counts.sh

timing-table: build kernels tuned lab
	@tests/Lab/timing-table.sh

reproducible: deps
	@.ci/reproducible.sh

clean:
	rm -rf artifacts
	find src tests fuzz -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +

distclean: clean
	rm -rf "$(cache)"
