#!/bin/sh
# run-all.sh BUILD SECONDS [NAME...]: runs the fuzz targets of a build made with
# --enable-fuzzing, each so long, from its corpus and with its dictionary.
#
# What is found new stays out of the tree: inputs in a temporary folder, those
# that break something in BUILD/fuzz-findings. One line for each target:
#
#	imap-response     123456 runs   1042 features  ok
#
# Exits with 1 when a target found something or did not start, with 77 when the
# build has no targets.
set -u

build=${1:?usage: run-all.sh BUILD SECONDS [NAME...]}
seconds=${2:?usage: run-all.sh BUILD SECONDS [NAME...]}
shift 2
here=$(cd "$(dirname "$0")" && pwd) || exit 99
findings=$build/fuzz-findings
work=$(mktemp -d "${TMPDIR:-/tmp}/belfry-fuzz.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
failed=0
total=0

list_targets() {
	for target in "$build"/tests/fuzz/fuzz-*; do
		test -f "$target" && test -x "$target" &&
		    basename "$target" | sed 's/^fuzz-//'
	done
}

# The number behind a name in libFuzzer's last lines.
stat_of() {
	sed -n "s/^stat::$1: *//p" "$work/log"
}

features() {
	sed -n 's/.* ft: \([0-9]*\).*/\1/p' "$work/log" | tail -n 1
}

run() {
	name=$1
	mkdir -p "$work/$name" "$findings"
	set -- -max_total_time="$seconds" -print_final_stats=1 -timeout=10 \
	    -rss_limit_mb=1024 -artifact_prefix="$findings/$name-"
	test ! -f "$here/$name.dict" || set -- "$@" -dict="$here/$name.dict"
	set -- "$@" "$work/$name"
	test ! -d "$here/corpus/$name" || set -- "$@" "$here/corpus/$name"
	"$build/tests/fuzz/fuzz-$name" "$@" >"$work/log" 2>&1 && word=ok ||
	    word=FAILED
	runs=$(stat_of number_of_executed_units)
	test "${runs:-0}" -gt 0 || word=FAILED
	total=$((total + ${runs:-0}))
	printf '%-18s %9s runs %7s features  %s\n' "$name" "${runs:-0}" \
	    "$(features)" "$word"
	test "$word" != ok || return 0
	failed=1
	tail -n 40 "$work/log" | sed 's/^/  /'
}

test $# -gt 0 || set -- $(list_targets)
test $# -gt 0 || {
	echo "$build has no fuzz targets: configure it with clang and" \
	    "--enable-fuzzing" >&2
	exit 77
}
for target; do
	run "$target"
done
rmdir "$findings" 2>/dev/null
echo "$# targets, $total runs"
exit $failed
