#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The unplug suite as one step of a CI job, on Debian 12 or 13 as root. Arguments are
# those of "lab/lab unplug". All results are in results/unplug, to be kept
# whatever comes out; the status is 0 if all passed, 4 if all were skipped.

set -eu

cd "$(dirname "$0")/.."
exec lab/lab unplug "$@"
