# SPDX-License-Identifier: GPL-2.0
# What people use most. Each is a verb of lab/lab, which has more, and options.

lab := lab/lab

help:		## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

demo:		## set up, then show late release next to mainline
	@$(lab) demo

check:		## set up, then run the tests of our modules
	@$(lab) check

check-all:	## the same, and those that show that the tests can fail
	@$(lab) check --all

unplug:		## TCMU devices that go while they are used: mainline and ours
	@$(lab) unplug

clients:	## DPDK, other programs, other drivers: mainline and ours
	@$(lab) clients

same:		## compare what works on mainline and on ours, fact by fact; KERNEL=7.3-debug
	@$(lab) same $(if $(KERNEL),--kernel $(KERNEL))

bench:		## measure ours next to mainline; KERNEL=7.3 on that
	@$(lab) bench $(if $(KERNEL),--kernel $(KERNEL))

bench-check:	## fail if results/bench.json is slower than OLD=FILE, an older one
	@[ -n "$(OLD)" ] || { echo "make bench-check: give OLD=FILE, an older bench.json" >&2; exit 2; }
	@$(lab) bench --compare "$(OLD)" $(or $(NEW),results/bench.json)

compare:	## run the tests on mainline and on ours, show a table
	@$(lab) compare

soak:		## make check again and again, until it has passed RUNS=20 times in a row
	@$(lab) soak --runs $(or $(RUNS),20)

lint:		## check the sources only: checkpatch, sparse, Sphinx, ...
	@$(lab) lint

docs:		## make the site of the documentation in build/docs
	@$(lab) docs

results:	## put what the last runs printed into Documentation/results.md
	@$(lab) results

deb:		## make the Debian package in build/deb
	@$(lab) deb

deb-check:	## install it in guests: suites, kernel upgrade, removal, trouble
	@$(lab) deb-check

setup:		## only fetch and prepare what 6.12 needs, below build/
	@$(lab) setup

build:		## build our modules and test programs
	@$(lab) build

shell: build	## a prompt in a guest with our modules
	@$(lab) shell

clean:		## remove built modules, programs, pages and the package
	rm -rf build/modules-* build/selftests build/docs build/deb

distclean:	## remove all of build/ and results/
	@$(lab) clean
	rm -rf results

.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(firstword $(MAKEFILE_LIST)))
