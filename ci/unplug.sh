#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The unplug suite as one step of a CI job, on Debian 12 or 13 as root. The arguments are
# those of "lab/lab unplug". Keep results/unplug in any case. The status is 0 if all scenarios
# passed, and 4 if all were skipped.

set -eu

cd "$(dirname "$0")/.."
exec lab/lab unplug "$@"
