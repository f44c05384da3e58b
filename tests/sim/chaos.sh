#!/bin/sh
# Worlds in which more happens than the others know, as many as $SIM_CHAOS says.
set -eu

exec ./tests/sim/sim --weather chaos -s 1 -n "${SIM_CHAOS:-150}"
