#!/bin/sh
# test-manuals.sh: the manuals are well-formed, and name every command and
# option that the programs know.
set -u
LC_ALL=C
export LC_ALL

here=${srcdir:-.}
build=${top_builddir:-.}
belfryctl=${BELFRYCTL:-$build/belfryctl}
belfryd=${BELFRYD:-$build/belfryd}
failures=0

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# Where the manuals are not installed, those that they refer to are unknown.
lint() {
	command -v mandoc >/dev/null || return
	found=$(mandoc -T lint "$1" | grep -v -e 'referenced manual not found' \
		-e 'possible typo in section name')
	test -z "$found" || fail "$found"
}

# The long options of a help text.
options_of() {
	sed -n 's/^ .* --\([a-z-]*\).*/\1/p' | sort -u
}

# has MANUAL WORD: as an argument of a macro.
has_option() {
	grep -qE "^\.It.* Fl .*\\\\-$2( |\$)|^\.Ss.* Fl \\\\-$2( |\$)|^\.Fl \\\\-$2( |\$)|Fl h \| \\\\-$2" \
		"$1" || fail "$1: --$2 is missing"
}

ctl=$here/daemon/control/belfryctl.1
lint "$ctl"
lint "$here/daemon/belfryd.8"
lint "$here/daemon/belfry-delivery.7"
test -f "$build/daemon/config/belfry.conf.5" &&
	lint "$build/daemon/config/belfry.conf.5"

# The examples of a manual, as a configuration; a grammar stands elsewhere.
examples_of() {
	awk '/^\.Bd -literal -offset 4n/ { next }
		/^\.Bd -literal/ { on = 1; next } /^\.Ed/ { on = 0 } on' "$1" |
		sed -e 's/\\e/\\/g' -e 's/\\(ti/~/g' -e 's/\\(dq/"/g' \
			-e 's/\\&//g'
}

# right FILE...: they are one configuration without a problem.
right() {
	"$belfryctl" check "$work/belfry.conf" >"$work/out" 2>&1 &&
		grep -q 'all well' "$work/out" && return
	fail "$* has examples that are wrong:"
	cat "$work/out"
}

# Those of belfry-rules(5) need an account; the tests of belfry.conf(5) are
# about the rules of its first example.
rules=$here/rules/belfry-rules.5
conf=$build/daemon/config/belfry.conf.5
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
lint "$rules"
if test -f "$conf"; then
	examples_of "$conf" | sed -n '/^\[account work/,$p' >"$work/belfry.conf"
	right "$conf"
	account='[account a]
email = ann@example.org
imap = imaps://mail.example.org
smtp = submission://mail.example.org
keyring = yes
authserv = mail.example.org
'
	{
		echo "$account"
		examples_of "$rules"
	} >"$work/belfry.conf"
	right "$rules"
	{
		echo "$account"
		examples_of "$rules" | sed '/^\[test/,$d'
		examples_of "$conf" | sed -n '/^\[test/,/^\[account/p' |
			sed '/^\[account/d'
	} >"$work/belfry.conf"
	right "$rules" "$conf"
fi

commands=$("$belfryctl" --help | sed -n '/^By itself/,/^Options/p' |
	sed -n 's/^  \([a-z]*\) .*/\1/p')
test -n "$commands" || fail "no commands"
for command in $commands; do
	grep -qE "^\.(Ss|Cm) $command( |\$)" "$ctl" ||
		fail "$ctl: $command is missing"
	for option in $("$belfryctl" help "$command" | options_of); do
		has_option "$ctl" "$option"
	done
done
if test -x "$belfryd"; then
	for option in $("$belfryd" --help | options_of); do
		has_option "$here/daemon/belfryd.8" "$option"
	done
fi
test "$failures" = 0
