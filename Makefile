# SPDX-License-Identifier: GPL-2.0
# What people use most. Each is a verb of lab/lab, which has more, and options.

makefile := $(firstword $(MAKEFILE_LIST))
top := $(dir $(makefile))
lab := $(top)lab/lab
kernel = $(if $(KERNEL),--kernel "$(KERNEL)")

help:		## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(makefile) | expand -t 20
	@echo "KERNEL=6.12, 7.3-debug or 7.3 chooses the kernel: make check KERNEL=6.12"

demo:		## set up, then show late release next to mainline
	@$(lab) demo $(kernel)

check:		## set up, then run the tests of our modules
	@$(lab) check $(kernel)

check-all:	## the same, and those that show that the tests can fail
	@$(lab) check --all $(kernel)

unplug:		## TCMU devices that go while they are used: mainline and ours
	@$(lab) unplug $(kernel)

clients:	## DPDK, other programs, other drivers: mainline and ours
	@$(lab) clients $(kernel)

same:		## compare what works on mainline and on ours, fact by fact
	@$(lab) same $(kernel)

nth:		## let each allocation of each operation fail once
	@$(lab) check 7.3-debug/ours-nth/

bench:		## measure ours next to mainline
	@$(lab) bench $(kernel)

bench-check:	## fail if results/bench.json is slower than OLD=FILE, an older one
	@[ -n "$(OLD)" ] || { echo "make bench-check: give OLD=FILE, an older bench.json" >&2; exit 2; }
	@$(lab) bench --compare "$(OLD)" "$(or $(NEW),$(top)results/bench.json)"

compare:	## run the tests on mainline and on ours, show a table
	@$(lab) compare $(kernel)

soak:		## make check again and again, until it has passed RUNS=20 times in a row
	@$(lab) soak --runs "$(or $(RUNS),20)" -- $(kernel)

model:		## models of the core's protocols, with and without bugs; litmus tests
	@$(lab) model

chaos:		## random operations by a driver and by user space; SEED=N repeats a run
	@$(lab) chaos $(kernel) $(if $(SEED),--seed "$(SEED)")

coverage:	## which of our lines and branches the tests reach
	@$(lab) coverage

plug:		## 100,000 plugs and unplugs, in which nothing is lost or left; CYCLES=N
	@$(lab) plug $(kernel) $(if $(CYCLES),--cycles "$(CYCLES)")

lint:		## check the sources only: checkpatch, sparse, Sphinx, ...
	@$(lab) lint

docs:		## make the site of the documentation in build/docs
	@$(lab) docs

results:	## put what the last runs printed into Documentation/results.md
	@$(lab) results

deb:		## make the Debian packages in build/deb
	@$(lab) deb

dist:		## make a tarball for DKMS on other distributions, in build/dist
	@$(lab) dist

deb-check:	## install it in guests: suites, kernel upgrade, removal, trouble
	@$(lab) deb-check

setup:		## only fetch and prepare what 6.12 needs, below build/
	@$(lab) setup $(kernel)

build:		## build our modules and test programs
	@$(lab) build $(kernel)

shell: build	## a prompt in a guest with our modules
	@$(lab) shell $(kernel)

clean:		## remove built modules, programs, pages and the package
	cd $(top) && rm -rf build/modules-* build/selftests* build/docs build/deb build/dist

distclean:	## remove all of build/ and results/
	@$(lab) clean
	rm -rf $(top)results

.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(makefile))
