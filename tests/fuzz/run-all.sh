#!/bin/sh
# run-all.sh BUILD SECONDS [NAME...]: runs the fuzz targets of a build made with
# --enable-fuzzing, each so long, from its corpus and with its dictionary.
#
# What is found new stays out of the tree. An input that breaks something, and
# the log of that run, are left in $FUZZ_FINDINGS (BUILD/fuzz-findings), named
# after the target. $FUZZ_JOBS (1) run at once. One line for each target:
#
#	imap-response        11099 runs    2191 features  ok
#
# Exits with 1 when a target found something or did not start, with 77 when the
# build has no targets.
set -u

build=${1:?usage: run-all.sh BUILD SECONDS [NAME...]}
seconds=${2:?usage: run-all.sh BUILD SECONDS [NAME...]}
shift 2
here=$(cd "$(dirname "$0")" && pwd) || exit 99
findings=${FUZZ_FINDINGS:-$build/fuzz-findings}
jobs=${FUZZ_JOBS:-1}
work=$(mktemp -d "${TMPDIR:-/tmp}/belfry-fuzz.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM

list_targets() {
	for target in "$build"/tests/fuzz/fuzz-*; do
		test -f "$target" && test -x "$target" &&
		    basename "$target" | sed 's/^fuzz-//'
	done
}

# Writes NAME.log, and NAME.failed if it did.
run() {
	name=$1
	mkdir "$work/$name.new"
	set -- -max_total_time="$seconds" -print_final_stats=1 -timeout=10 \
	    -rss_limit_mb=1024 -artifact_prefix="$findings/fuzz-$name-"
	test ! -f "$here/$name.dict" || set -- "$@" -dict="$here/$name.dict"
	set -- "$@" "$work/$name.new"
	test ! -d "$here/corpus/$name" || set -- "$@" "$here/corpus/$name"
	TMPDIR=$work "$build/tests/fuzz/fuzz-$name" "$@" >"$work/$name.log" 2>&1 ||
	    : >"$work/$name.failed"
}

# The number behind a name in libFuzzer's last lines.
runs_of() {
	sed -n 's/^stat::number_of_executed_units: *//p' "$work/$1.log"
}

features_of() {
	sed -n 's/.* ft: \([0-9]*\).*/\1/p' "$work/$1.log" | tail -n 1
}

report() {
	runs=$(runs_of "$1")
	total=$((total + ${runs:-0}))
	test "${runs:-0}" -gt 0 || : >"$work/$1.failed"
	word=ok
	test ! -e "$work/$1.failed" || word=FAILED
	printf '%-18s %9s runs %7s features  %s\n' "$1" "${runs:-0}" \
	    "$(features_of "$1")" "$word"
	test "$word" != ok || return 0
	failed=1
	cp "$work/$1.log" "$findings/fuzz-$1.log"
	tail -n 40 "$work/$1.log" | sed 's/^/  /'
}

# shellcheck disable=SC2046 # a list of words
test $# -gt 0 || set -- $(list_targets)
test $# -gt 0 || {
	echo "$build has no fuzz targets: configure it with clang and" \
	    "--enable-fuzzing" >&2
	exit 77
}
mkdir -p "$findings" || exit 99
count=0
for target; do
	run "$target" &
	count=$((count + 1))
	test $((count % jobs)) != 0 || wait
done
wait
failed=0
total=0
for target; do
	report "$target"
done
rmdir "$findings" 2>/dev/null
echo "# TOTAL: $# fuzz targets, $total runs"
exit $failed
