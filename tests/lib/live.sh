#!/bin/sh
# live.sh DIR: private mail servers for live.py. Says what servers.sh exports,
# a variable on each line and then `ready`; does what it is told on standard
# input, a word on each line, and says `done` or `failed` to each; ends the
# servers when standard input ends. Exit status 77: something is not installed.
set -u

SERVERS_LIB=$(cd "$(dirname "$0")" && pwd)
. "$SERVERS_LIB/servers.sh"

servers_have || exit 77
servers_start "$1" || exit 1
env | grep '^SERVERS_[A-Z_]*='
echo "DOVECOT_PID=$SERVERS_DOVECOT_PID"
echo ready

while read -r word; do
	case $word in
	imap-start) servers_imap_start_again ;;
	imap-stop) servers_imap_stop ;;
	submission-start) servers_submission_start ;;
	submission-stop) servers_submission_stop ;;
	*) false ;;
	esac && echo "done ${SERVERS_DOVECOT_PID:-0}" || echo "failed 0"
done
