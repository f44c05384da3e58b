#!/bin/sh
# A notifier for Belfry: writes each notification into a file, and takes it out
# again when its message was read. See belfry-notifiers(7).
#
#   [notifier file]
#   type = program
#   command = /path/to/to-file.sh /home/ann/new-mail
file=${1:?usage: to-file.sh FILE}
tab=$(printf '\t')
: >"$file"
field() { printf '%s\n' "$line" | tr '\t' '\n' | sed -n "s/^$1=//p"; }
printf 'ready\tversion=1\n'
while IFS= read -r line; do
	id=$(field id)
	sed -i "/^$id$tab/d" "$file"
	case $line in
	"notify$tab"*)
		printf '%s\t%s: %s\n' "$id" "$(field title)" "$(field body)" >>"$file"
		printf 'shown\tid=%s\n' "$id" ;;
	"close$tab"*) printf 'closed\tid=%s\treason=closed\n' "$id" ;;
	esac
done
