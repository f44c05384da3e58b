#!/bin/sh
# check-headers.sh: each header compiles by itself, so that no file depends on
# the order of its includes.
#
#	HEADER_CC="cc -I..." [WITH_LIBNOTIFY=no] check-headers.sh
#
# Reads the headers under $srcdir (default "."). Twice in one file, so that
# guards are tried as well. Skipped (77) without HEADER_CC.
set -u
LC_ALL=C
export LC_ALL

test -n "${HEADER_CC:-}" || {
	echo 'HEADER_CC is not set' >&2
	exit 77
}

# Tables and fragments, which their only reader includes where they belong.
FRAGMENTS='
daemon/base/width_table.h
daemon/config/presets_table.h
daemon/config/settings_table.h
tests/unit/store-cases.h
'

work=$(mktemp -d "${TMPDIR:-/tmp}/check-headers.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM

list_headers() {
	(cd "${srcdir:-.}" &&
	    find daemon rules notifiers tests -name '*.h' -type f) | sort
}

is_wanted() {
	case "$FRAGMENTS" in
	*"
$1
"*) return 1 ;;
	esac
	case $1 in
	notifiers/desktop/*) test "${WITH_LIBNOTIFY:-yes}" != no ;;
	esac
}

failed=0
count=0
for header in $(list_headers); do
	is_wanted "$header" || continue
	count=$((count + 1))
	printf '#include "%s"\n#include "%s"\nextern int not_empty;\n' \
	    "$header" "$header" >"$work/one.c"
	# Unquoted: a compiler and its options.
	$HEADER_CC -fsyntax-only "$work/one.c" >"$work/out" 2>&1 &&
	    ! test -s "$work/out" && continue
	echo "$header: does not compile by itself"
	head -n 5 "$work/out" | sed 's/^/  /'
	failed=1
done
echo "$count headers"
test "$count" -gt 0 || failed=1
exit $failed
