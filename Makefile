# SPDX-License-Identifier: GPL-2.0
# The commands of the project. The work is done by tools/testing/uio-lab.

lab := tools/testing/uio-lab

help:		## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

demo:		## set up, then show late release next to mainline
	@$(lab)/demo/demo

bench:		## measure ours next to mainline; KERNEL=7.3 on that
	@$(lab)/bench $(if $(KERNEL),--kernel $(KERNEL))

bench-check:	## fail if results/bench.json is slower than OLD=FILE, an older one
	@$(lab)/bench --compare "$(OLD)" $(or $(NEW),results/bench.json)

check:		## set up, then run the tests of our modules
	@$(lab)/check

check-all:	## the same, and those that show that the tests can fail
	@$(lab)/check --all

soak:		## make check again and again, until it has passed RUNS=20 times in a row
	@$(lab)/soak $(or $(RUNS),20)

unplug:		## TCMU devices that go while they are used: mainline and ours
	@$(lab)/unplug

unplug-long:	## the same for a device that is made and deleted 1,000 times
	@$(lab)/unplug --results results/unplug-long cycles_1000

clients:	## DPDK, other programs, other drivers: mainline and ours
	@$(lab)/clients

compare:	## run the tests on mainline and on ours, show a table
	@$(lab)/compare

same:		## compare what works on mainline and on ours, fact by fact; KERNEL=7.3-debug
	@$(lab)/same $(if $(KERNEL),--kernel $(KERNEL))

lint:		## check the sources only: checkpatch, sparse, Sphinx, ...
	@$(lab)/lint

series:		## write a patch series for the kernel's maintainers to build/series
	@$(lab)/series

series-check:	## apply it patch by patch: each builds, the tests pass in guests
	@$(lab)/series-check

docs:		## make the site of the documentation in build/docs
	@$(lab)/docs

readme:		## put what the last demo, check, unplug and bench printed into README.md
	@$(lab)/readme

deb:		## make the Debian package in build/deb
	@$(lab)/deb

deb-check:	## install it in guests: suites, kernel upgrade, removal, trouble
	@$(lab)/deb-check

setup:		## only fetch and prepare what 6.12 needs, below build/
	@$(lab)/uio-lab setup

build:		## build our modules and test programs
	@$(lab)/uio-lab build

shell: build	## a prompt in a guest with our modules
	@$(lab)/uio-lab shell

clean:		## remove built modules, programs, pages and the package
	rm -rf build/modules-* build/selftests build/docs build/deb

distclean:	## remove all of build/ and results/
	@$(lab)/uio-lab clean
	rm -rf results

.PHONY: help demo bench bench-check check check-all soak unplug unplug-long clients compare same lint series series-check docs readme deb deb-check setup build shell clean distclean
