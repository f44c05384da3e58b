#!/bin/sh
# A whole account on each kind of server that is known: login, folders, watched
# mailboxes and what rules do, in $SIM_EACH worlds (one).
set -eu

exec ./tests/sim/many --each -s 1 -n "${SIM_EACH:-1}"
