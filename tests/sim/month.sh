#!/bin/sh
# An account's month in the simulated world, $SIM_MONTHS times (once); a year:
# tests/sim/sim --weather year.
set -eu

exec ./tests/sim/sim --weather month -s 1 -n "${SIM_MONTHS:-1}"
