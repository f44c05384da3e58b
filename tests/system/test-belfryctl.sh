#!/bin/sh
# test-belfryctl.sh: the built belfryctl as a person meets it: what it prints
# and how it exits, on good and broken configurations, on messages from files,
# folders and mboxes, and against a daemon that is away, good or hostile.
set -u
LC_ALL=C.UTF-8 TZ=UTC
export LC_ALL TZ
umask 022

here=$(cd "${srcdir:-.}" && pwd)
belfryctl=$(realpath "${BELFRYCTL:-${top_builddir:-.}/belfryctl}")
python=${PYTHON3:-python3}
command -v "$python" >/dev/null || exit 77
test -x "$belfryctl" || { echo "no $belfryctl"; exit 99; }

work=$(mktemp -d "${TMPDIR:-/tmp}/belfryctl.XXXXXX") || exit 99
daemon=
trap 'test -n "$daemon" && kill "$daemon" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work" || exit 99
unset XDG_CONFIG_HOME XDG_RUNTIME_DIR RUNTIME_DIRECTORY STATE_DIRECTORY \
	XDG_STATE_HOME
HOME=$work/home
export HOME
mkdir home

failures=0
fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# run ARGUMENTS: standard output to out, standard error to err, code to $code.
# JSON is as daemon/control/schemas says, unless the daemon is a mock, which
# does not say all that one says.
is_mock=
run() {
	"$belfryctl" "$@" >out 2>err </dev/null
	code=$?
	case "$is_mock $* " in
	' '*' -- '*) ;;
	' '*' --json '*) expect_schema "$*" "$@" ;;
	esac
}

# expect NAME CODE [FILE] <wanted: the exit code, and all of FILE (out).
expect() {
	cat >wanted
	test "$code" = "$2" || fail "$1: exit code $code, not $2"
	if ! diff -u wanted "${3:-out}"; then
		fail "$1: ${3:-out} differs"
		cat err
	fi
}

# expect_words NAME CODE FILE WORDS: FILE has these words.
expect_words() {
	test "$code" = "$2" || fail "$1: exit code $code, not $2"
	grep -qF -e "$4" "$3" || { fail "$1: no \"$4\""; cat "$3"; }
}

# No control character but the line end, and no direction mark.
expect_clean() {
	if "$python" -c '
import sys
text = open(sys.argv[1], encoding="utf-8").read()
bad = [c for c in text if (ord(c) < 32 and c != "\n") or
       127 <= ord(c) < 160 or ord(c) in (0x202e, 0x2066, 0x200b)]
sys.exit(1 if bad else 0)' "$2"; then
		return
	fi
	fail "$1: control characters in $2"
}

expect_json() {
	"$python" -m json.tool <out >/dev/null 2>&1 || {
		fail "$1: not JSON"
		cat out
	}
}

# expect_schema NAME COMMAND...: as daemon/control/schemas says.
expect_schema() {
	name=$1
	shift
	"$python" -B "$here/tests/lib/schema.py" "$@" <out >problems 2>&1 ||
		fail "$name: $(head -n 3 problems)"
}

# expect_value NAME EXPRESSION VALUE: of the JSON document d.
expect_value() {
	value=$("$python" -c '
import json, sys
d = json.load(open("out"))
print(json.dumps(eval(sys.argv[1])))' "$2" 2>&1)
	test "$value" = "$3" || fail "$1: $2 is $value, not $3"
}

# ---- files ----

cat >belfry.conf <<'END'
[account home]
email = ann@icloud.com
password_command = secret-tool lookup belfry home

[list vip]
member = boss@example.org

[rule boss]
when = from in @vip
unless = bulk
mark = flagged
notify = critical

[rule ci]
when = from is ci@example.org and subject ~ /^\[(?<project>[a-z0-9-]+)\]/
move = CI/${project}
create = yes
stop = yes

[rule tried]
when = flag is read
mode = observe
move = Old

[test boss]
header = From: boss@example.org
expect = boss
END
sed 's/^mark = flagged/makr = flagged/' belfry.conf >broken.conf
sed 's/^expect = boss/expect = ci/' belfry.conf >failing.conf
mkdir -p box/cur box/new box/tmp mails
printf 'From: "The Boss" <boss@example.org>\r\nSubject: hi\r\n\r\nx\r\n' \
	>mails/boss.eml
printf 'From: ci@example.org\nSubject: [belfry] red\n\nFrom here on\n' \
	>mails/ci.eml
cp mails/ci.eml 'box/cur/1.x.y:2,S'
cp mails/boss.eml box/new/2.x.y
{
	printf 'From ci@example.org Mon Jan  1 00:00:00 2024\n'
	cat mails/ci.eml
	printf '\nFrom a@b Mon Jan  1 00:00:00 2024\n'
	tr -d '\r' <mails/boss.eml
} >mbox
printf 'From: \033]0;owned\007x <x@example.org>\nSubject: a\342\200\256b\n\n' \
	>hostile.eml
printf '[rule only]\nwhen = subject is hi\nmove = Hi\n' >only.conf

# ---- the command line ----

run
expect_words 'no command' 64 err 'usage: belfryctl'
run --help
expect_words 'help' 0 out '  doctor       '
run help history
expect_words 'help of a command' 0 out '  -n, --limit N '
run history --help
expect_words 'help of a command' 0 out '      --since TIME '
for command in $("$belfryctl" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
	run "$command" --help
	long=$(grep -E '^.{81}' out) && fail "help of $command: $long"
done
run --version
expect_words 'version' 0 out 'belfryctl '
run statsu
expect 'misspelt' 64 err <<'END'
belfryctl: there is no command `statsu`
    did you mean `status`?
END
run status too many
expect_words 'too many' 64 err 'usage: belfryctl status'
run test
expect_words 'missing' 64 err 'an argument is missing'
run --nonsense status
expect_words 'unknown option' 64 err 'nonsense'
run history --nonsense
expect_words 'what to do about it' 64 err 'belfryctl history --help'
run history --since
expect_words 'no value' 64 err 'needs a value'
run status --timeout never
expect_words 'timeout' 64 err 'such as 5s'
for words in '--nonsense status' 'statsu' 'status --nonsense' \
	'status --timeout never' 'status --timeout never --no-color'; do
	# shellcheck disable=SC2086
	run $words --json
	expect_schema "$words --json" error
	expect_value "$words --json" 'd["ok"]' 'false'
	test "$code" = 64 || fail "$words --json: exit code $code"
done
run statsu -- --json
expect_words 'misspelt' 64 err 'did you mean'

# ---- check ----

run check -c belfry.conf
expect 'check' 0 <<'END'
belfry.conf: 1 account, 3 rules, 1 test: all well
END
run check broken.conf
expect_words 'check broken' 78 out 'did you mean `mark`?'
expect_words 'check broken' 78 out 'broken.conf:11:1: error: '
expect_words 'check broken' 78 out 'broken.conf: 1 error'
run check --json broken.conf
expect_json 'check broken'
expect_schema 'check broken' check
expect_value 'check broken' \
	'd["ok"], d["errors"], [p["line"] for p in d["problems"] if
	p["severity"] == "error"]' '[false, 1, [11]]'
run check failing.conf
expect_words 'check failing' 78 out 'test boss: expected ci, but boss matched'
run check --json belfry.conf
expect_value 'check' 'd["ok"], d["accounts"], d["rules"], d["tests"]' \
	'[true, 1, 3, 1]'
run check nowhere.conf
expect_words 'check nowhere' 78 out 'nowhere.conf'
run check
expect_words 'check without' 78 err "$HOME/.config/belfry/belfry.conf"
cat >files.conf <<'END'
[account home]
email = ann@example.org
imap = imap://localhost:993
keyring = yes
tls_ca_file = /nowhere/ca.pem

[rule more]
when = from in @file:/nowhere/friends.more
quiet = yes

[rule friends]
when = bulk or
  from in @file:/nowhere/friends
quiet = yes
END
run check files.conf
expect 'check of files that are missing' 78 <<'END'
files.conf:3:8: warning: port 993 is usually that of imaps://
    imap = imap://localhost:993
           ^
    write imaps://
files.conf:5:15: warning: account home cannot connect: /nowhere/ca.pem: No such file or directory
    tls_ca_file = /nowhere/ca.pem
                  ^
files.conf:8:16: error: the list cannot be read: /nowhere/friends.more: No such file or directory
    when = from in @file:/nowhere/friends.more
                   ^
files.conf:13:11: error: the list cannot be read: /nowhere/friends: No such file or directory
      from in @file:/nowhere/friends
              ^
files.conf: 2 errors, 2 warnings
END
run check --settings
expect_words 'settings' 0 out 'password_command'
run check --settings --json
expect_json 'settings'
expect_schema 'settings' check --settings
expect_value 'settings' 'len(d["settings"]) > 50' 'true'

# ---- test ----

touch -d '2026-11-21T10:00:00Z' mails/*
run -c belfry.conf test mails
expect 'test' 0 <<'END'
mails/boss.eml
    From:    "The Boss" <boss@example.org>
    Subject: hi
    Judged:  home/INBOX, 55 bytes, unread, received 2026-11-21 10:00
  boss   matched         when    yes  from in @vip            boss@example.org
                      *  unless  no   bulk                    -
  ci     not matched  *  when    no   from is ci@example.org  boss@example.org
  tried  not matched  *  when    no   flag is read            -
  plan:
    mark flagged       rule boss
    notify (critical)  rule boss

mails/ci.eml
    From:    ci@example.org
    Subject: [belfry] red
    Judged:  home/INBOX, 61 bytes, unread, received 2026-11-21 10:00
  boss   not matched  *  when  no   from in @vip                             ci@example.org
  ci     matched         when  yes  from is ci@example.org                   ci@example.org
                      *  when  yes  subject ~ /^\[(?<project>[a-z0-9-]+)\]/  [belfry] red
                                    ${project} is                            belfry
  tried  not reached                rule ci ended the run
  plan:
    move to CI/belfry (made if it is missing)  rule ci

END
run -c belfry.conf test --json mbox --mailbox Lists/x
expect_json 'mbox'
expect_schema 'mbox' test
expect_value 'mbox' '[(m["index"], m["from"], m["plan"]["matched"],
	m["mailbox"]) for m in d["messages"]]' \
	'[[1, "ci@example.org", ["ci"], "Lists/x"], [2, "\"The Boss\" <boss@example.org>", ["boss"], "Lists/x"]]'
expect_value 'mbox' 'd["messages"][0]["rules"][1]["captures"]' \
	'{"project": "belfry"}'
run -c belfry.conf test --json box
expect_json 'Maildir'
expect_schema 'Maildir' test
expect_value 'Maildir' '[m["flags"] for m in d["messages"]]' \
	'[["\\Seen"], []]'
run -c belfry.conf test --summary box mbox mails
expect 'summary' 0 <<'END'
6 messages
  RULE   matched  not matched  not reached
  boss   3        3            0
  ci     3        3            0
  tried  0        3            3
  mark: 3
  move: 3
  notify: 3
END
run -c belfry.conf test --summary --json mbox
expect_json 'summary'
expect_schema 'summary' test
expect_value 'summary' 'd["summary"]["actions"]["move"], d["ok"]' '[1, true]'
run -c belfry.conf test nowhere mails/boss.eml
expect_words 'unreadable' 66 err 'nowhere: No such file'
expect_words 'unreadable' 66 out 'boss   matched'
run -c belfry.conf test --json nowhere
expect_json 'unreadable'
expect_schema 'unreadable' test
expect_value 'unreadable' 'd["ok"], d["messages"], d["errors"][0]["source"]' \
	'[false, [], "nowhere"]'
: >empty
run -c belfry.conf test empty
expect_words 'empty' 66 err 'empty: the file is empty'
run -c broken.conf test mails
expect_words 'test broken' 78 err 'broken.conf:11:1: error: '
run -c broken.conf test --json mails
expect_json 'test broken'
expect_schema 'test broken' test
run -c belfry.conf test --account nobody mails
expect_words 'test account' 64 err 'no account nobody'
run test --rules only.conf mails/boss.eml
expect_words 'rules alone' 0 out 'move to Hi  rule only'
expect_words 'rules alone' 0 out 'Judged:  test/INBOX'
# A configuration of its own, written as legally as oddly.
{
	printf '\357\273\277[ account  home ]\r\nemail = a@icloud.com\r\n'
	printf 'password_command = x\r\n[ rule  only ]\r\nwhen = all\r\n'
	printf 'mark = read\r\n'
} >odd.conf
run -c belfry.conf test --rules odd.conf mails/boss.eml
expect_words 'a configuration of its own' 0 out 'only  matched'
run -c belfry.conf test --rules only.conf mails/boss.eml
expect_words 'other rules' 0 out 'Judged:  home/INBOX'
run -c belfry.conf test hostile.eml
expect_clean 'test' out
run -c belfry.conf test --json hostile.eml
expect_json 'test hostile'
expect_schema 'test hostile' test
expect_clean 'test hostile' out
"$belfryctl" -c belfry.conf test --json - <mails/boss.eml >out
code=$?
expect_value 'standard input' 'd["messages"][0]["source"]' '"-"'
run -c belfry.conf explain mails/boss.eml
expect_words 'explain' 0 out 'boss   matched'
run -c belfry.conf explain home/INBOX/12
expect_words 'explain' 69 err 'belfryd does not run'
run -c belfry.conf explain home/INBOX/x
expect_words 'explain' 64 err 'it names no message on a server'
run -c belfry.conf explain --now 2h home/INBOX/12
expect_words 'explain' 64 err '--now is for files only'
"$belfryctl" -c belfry.conf test mails >/dev/full 2>err
code=$?
expect_words 'full' 74 err 'No space left'

# ---- rules ----

run -c belfry.conf rules
expect_words 'rules' 0 out 'ci  (belfry.conf:14)'
expect_words 'rules' 0 out '    when from in @vip'
run -c belfry.conf rules --json
expect_json 'rules'
expect_schema 'rules' rules
expect_value 'rules' '[r["rule"] for r in d["rules"]]' \
	'["boss", "ci", "tried"]'
expect_value 'rules' 'd["rules"][1]["keys"]["move"]' '["CI/${project}"]'

# What they did: read out of a store that this test writes.
version=$(sed -n 's/^#define STORE_SCHEMA_VERSION //p' \
	"$here/daemon/store/store.h")
{ printf '[daemon]\nstate_directory = %s/state\n' "$work"
cat belfry.conf; } >counted.conf
mkdir -m 700 state
run -c counted.conf rules
expect_words 'rules, no store' 0 out '(no counts: '
run -c counted.conf rules --json
expect_value 'rules, no store' 'd["rules"][0]["stats"]' null
expect_value 'rules, no store' 'bool(d["stats_error"])' true
(umask 077 && "$python" -c '
import sqlite3, sys, time
now = int(time.time())
db = sqlite3.connect("state/state.db")
db.executescript("""
	PRAGMA application_id = 0x42656c66;
	PRAGMA user_version = %s;
	CREATE TABLE rule_stats (rule, hits, last_hit, observed, limited,
	    judged, nanoseconds, since);""" % sys.argv[1])
db.executemany("INSERT INTO rule_stats VALUES (?, ?, ?, ?, ?, ?, ?, ?)", [
	("@forward home", 9, now, 0, 0, 0, 0, 1),
	("boss", 2, now - 50, 0, 7, 4, 6000, 5),
	("ci", 30, 1750000000, 0, 0, 4, 26000, 5),
	("gone", 40, now, 0, 0, 0, 0, 5),
	("tried", 0, 0, 1, 0, 0, 0, 5)])
db.commit()' "$version")
sed 's/^\[rule tried\]/[rule fresh]\nwhen = all\nmark = read\n\n&/' \
	counted.conf >counted2.conf
run -c counted2.conf rules
expect_words 'rules' 0 out '; over its limit 7 times; 1.5 µs a message, 19% o'
expect_words 'rules' 0 out '    # 30 hits, last 2025-06-15 15:06, none in 90 days;'
expect_words 'rules' 0 out '; only observed 1 time'
expect_words 'rules' 0 out '    # not loaded by the daemon yet'
for order in 'file boss ci fresh tried' 'hits ci boss fresh tried' \
	'last boss ci fresh tried' 'time ci boss fresh tried'; do
	run -c counted2.conf rules --sort "${order%% *}" --json
	expect_value "rules --sort $order" \
		'" ".join(r["rule"] for r in d["rules"])' "\"${order#* }\""
done
run -c counted2.conf rules --json
expect_value 'rules' '[r["stats"] and r["stats"]["unused"]
	for r in d["rules"]]' '[false, true, null, false]'
expect_value 'rules' 'd["rules"][0]["stats"]["mean_ns"]' 1500
run -c counted2.conf rules --sort size
expect_words 'rules --sort size' 64 err 'one of file, hits, last and time'

# ---- secrets, colours ----

cat >secret.conf <<'END'
[account home]
email = ann@icloud.com
password = CANARY-1

[notifier phone]
type = webhook
url = https://ntfy.example.org/ann
header = Authorization: Bearer CANARY-2

[rule all]
when = all
mark = read
END
chmod 600 secret.conf
sed 's/^password =/pasword =/; s/^header =/haeder =/; s/^type = .*/tpye = x/' \
	secret.conf >slip.conf
chmod 600 slip.conf
for conf in secret slip; do
	for words in check 'check --json' rules 'rules --json' 'test mails' \
		'test --json mails' status 'status --json'; do
		# shellcheck disable=SC2086 # words are words
		run -c $conf.conf $words
		! grep -q CANARY out err || fail "$conf.conf: $words tells"
	done
done

in_terminal() {
	TERM=xterm "$python" -c 'import pty, sys
pty.spawn(sys.argv[1:])' "$belfryctl" "$@" </dev/null >out 2>err
	grep -q "$(printf '\033')" out
}
in_terminal check -c belfry.conf || fail 'no colour in a terminal'
in_terminal check -c belfry.conf --no-color && fail '--no-color has colour'
NO_COLOR=1 in_terminal check -c belfry.conf && fail 'NO_COLOR has colour'
run check -c belfry.conf
expect_clean 'no terminal' out

# ---- providers ----

run providers
expect_words 'providers' 0 out 'Apple iCloud Mail'
run providers Ann@GMX.de
expect_words 'providers ADDRESS' 0 out 'gmx-net: GMX'
expect_words 'providers ADDRESS' 0 out \
	'  IMAP       imap.gmx.net:993 (TLS), or imap.gmx.net:143 (STARTTLS)'
run providers icluod
expect 'providers of nobody' 1 err <<'END'
belfryctl: no provider is known by the name or domain icluod
    did you mean `icloud`?
END
run providers --json
expect_json 'providers'
expect_schema 'providers' providers
expect_value 'providers' 'len(d["providers"]) > 60, [p["smtp"] for p in
	d["providers"] if p["id"] == "icloud"]' \
	'[true, [{"host": "smtp.mail.me.com", "port": 587, "tls": "starttls"}]]'
run providers --json hey.com
expect_value 'a refusal' 'd["providers"][0]["refusal"]' \
	'"it offers neither IMAP nor SMTP"'

# ---- completions ----

for shell in bash zsh fish; do
	case $shell in
	bash) file=belfryctl.bash ;;
	zsh) file=_belfryctl ;;
	fish) file=belfryctl.fish ;;
	esac
	run completions $shell
	test "$code" = 0 || fail "completions $shell"
	cmp out "$here/contrib/completions/$file" || fail "$file is stale"
	command -v $shell >/dev/null || continue
	$shell -n out || fail "completions $shell: syntax"
done
if command -v bash >/dev/null; then
	bash -c '. "$1"
		for COMP_LINE in "belfryctl --json hist" "belfryctl history --s"
		do
			COMP_POINT=${#COMP_LINE}
			_belfryctl belfryctl
			echo "${COMPREPLY[*]}"
		done' - \
		"$here/contrib/completions/belfryctl.bash" >out 2>err
	code=$?
	expect 'bash completes' 0 <<'END'
history
--since --socket
END
fi
run completions tcsh
expect_words 'completions' 64 err 'bash, zsh or fish'

# ---- no daemon ----

for command in status watch history queue reload notify pause resume; do
	run $command --socket "$work/none"
	expect "$command away" 69 err <<END
belfryctl: belfryd does not run: there is no socket $work/none
    start it with \`systemctl --user start belfry\` or \`belfryd\`;
    if it listens elsewhere, name the place with --socket or -c
END
done
run --json status
expect_json 'away'
expect_schema 'away' status
expect_value 'away' 'd["ok"]' 'false'
XDG_RUNTIME_DIR=$work/run run status
expect_words 'away' 69 err "$work/run/belfry/control"
(cat belfry.conf; printf '[daemon]\ncontrol_socket = %s/there\n' "$work") \
	>socket.conf
run -c socket.conf status
expect_words 'configured socket' 69 err "there is no socket $work/there"
sed 's/^move = .*/mvoe = x/' socket.conf >socket-broken.conf
run -c socket-broken.conf reload
expect_words 'broken configuration' 69 err "there is no socket $work/there"
"$python" -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$work/stale"
run status --socket "$work/stale"
expect_words 'stale' 69 err "nobody listens at $work/stale"
run status --socket "/$(printf '%0200d' 1)"
expect_words 'long path' 64 err 'may have at most 107 bytes'
run history --since someday
expect_words 'since' 64 err '--since: someday is no time'
run history --until never
expect_words 'until' 64 err '--until: never is no time'
run history --since 2999-01-01
expect_words 'since' 64 err '--since: 2999-01-01 is in the future'
run history --since 2h --until 3h
expect_words 'until' 64 err '--until: 3h is not after 2h'
run undo work/INBOX --since 5
expect_words 'undo' 64 err '--since: 5 is no time'
run apply work/INBOX --until 1969-01-01
expect_words 'apply' 64 err '--until: 1969-01-01 is no time'
run status --socket ''
expect_words 'no path' 64 err 'the path of the control socket is empty'
for command in status watch pause; do
	run -c "$work/nowhere.conf" $command
	expect_words 'not another daemon' 78 err 'nowhere.conf: No such file'
done
run history --outcome done,lost
expect_words 'outcome' 64 err '--outcome: lost is none' \
	'done, failed, skipped, unknown, open or observed'
run pause work soon
expect_words 'pause' 64 err 'soon is no time' 'such as 90m, 2h or 3d'
run pause work 5
expect_words 'pause' 64 err '5 is no time: its unit is missing' \
	'write 5s, 5m, 5h or 5d'
run pause 5
expect_words 'pause' 64 err '5 is no time: its unit is missing' \
	'write 5s, 5m, 5h or 5d'
run history --since 5
expect_words 'since' 64 err '--since: 5 is no time: its unit is missing' \
	'write 5s, 5m, 5h or 5d'
run status --timeout 5
expect_words 'timeout' 64 err '--timeout: 5 is no time: its unit is missing' \
	'write 5s, 5m, 5h or 5d'
run pause work 0s
expect_words 'pause' 64 err '0s is no time to pause for'
run history -n 0
expect_words 'limit' 64 err '-n: not a number from 1 to 1000: 0'

# ---- a daemon ----

# ask MODE ARGUMENTS: runs belfryctl against a fake daemon; for "answer" its
# words are in the file answer.
ask() {
	mode=$1
	shift
	rm -f sock.request
	"$python" "$here/tests/system/fake-daemon.py" "$work/sock" "$mode" \
		answer 2>daemon.err &
	daemon=$!
	while ! test -S sock && kill -0 "$daemon" 2>/dev/null; do
		sleep 0.02
	done
	is_mock=yes
	run --socket "$work/sock" "$@"
	is_mock=
	wait "$daemon"
	daemon=
}

# What varies with the time of the run.
steady() {
	sed 's/[0-9][0-9a-z ]* ago/AGO/; s/  */ /g' out >steady
	mv steady out
}

echo '{"ok":true}' >answer
for options in '' --json; do
	# shellcheck disable=SC2086 # none, or one
	ask answer explain work/INBOX/1 $options
	expect_words "explain $options: an answer of nothing" 76 \
	    "$(test -z "$options" && echo err || echo out)" \
	    'the answer has no message in it'
done

cat >answer <<'END'
{"version":"0.1.0","pid":42,"started":"2026-01-01T00:00:00Z","config":"/c/belfry.conf","dry_run":false,"rules":6,"accounts":[{"account":"work","email":"ann@example.org","server":"mail.example.org","locked_out":null,"mailboxes":[{"mailbox":"INBOX","state":"watching","pushed":true,"since":"2026-01-01T00:00:00Z","proven":"2026-01-01T00:00:00Z","next_proof_in_s":323,"renew_s":360,"renew_set_s":540,"missed_pushes":2,"polled_too":true,"trouble":null,"uidvalidity":1,"next_uid":1234,"open":0},{"mailbox":"Lists/x","state":"loading","pushed":false,"since":"2026-01-01T00:00:00Z","proven":null,"trouble":null,"uidvalidity":0,"next_uid":0,"open":2}],"forwards":{"waiting":0,"sending":0,"sent":7,"failed":0,"held":0,"dropped":0}}],"ok":true}
END
ask answer status
steady
expect 'status' 0 <<'END'
belfryd 0.1.0, pid 42, started AGO, 6 rules of /c/belfry.conf

account work: ann@example.org at mail.example.org
 MAILBOX STATE PROVEN NEXT PROOF NEXT UID OPEN TROUBLE
 INBOX watching AGO in 5 min 23 s 1234 0
 Lists/x loading never 2
 INBOX: renewed every 6 min, since connections died in silence
 INBOX: new mail was not pushed 2 times, so the server is asked besides
END
grep -qx '{"version":1,"command":"status"}' sock.request ||
	fail "status: asks $(cat sock.request)"
ask answer status --json
expect_json 'status'
expect_value 'status' 'd["accounts"][0]["mailboxes"][0]["next_uid"]' 1234
cp answer good
run status --format bar
expect_words 'format' 64 err 'there is none called bar' \
	'waybar, i3blocks or polybar'

# bar FORMAT: what it shows of the answer.
bar() {
	ask answer status --format "$1"
	expect "$1" 0
}
sed 's/"open":0/"open":0,"unread":2/; s/"open":2/"open":2,"unread":1/; s/"account":"work"/"account":"<b>w\&"/' good >answer
bar waybar <<'END'
{"text":"3","alt":"unread","class":"unread","tooltip":"&lt;b&gt;w&amp;: 3 unread"}
END
bar i3blocks <<'END'
{"full_text":"✉ 3","short_text":"3"}
END
bar polybar <<'END'
✉ 3
END
sed -i 's/"proven":null,"trouble":null/"proven":null,"trouble":"no <route>"/' answer
bar waybar <<'END'
{"text":"3 !","alt":"trouble","class":"trouble","tooltip":"&lt;b&gt;w&amp;: Lists/x: no &lt;route&gt;"}
END
bar i3blocks <<'END'
{"full_text":"✉ 3 !","short_text":"3 !","color":"#ff5555"}
END
bar polybar <<'END'
%{F#ff5555}✉ 3 !%{F-}
END
sed 's/"locked_out":null/"locked_out":null,"paused":true,"paused_until":"2026-01-01T00:00:00Z"/' good >answer
bar waybar <<'END'
{"text":"0","alt":"paused","class":"paused","tooltip":"work: paused"}
END
bar polybar <<'END'
%{F#888888}✉ 0%{F-}
END
run status --socket "$work/nowhere" --format polybar
expect 'off' 0 <<'END'
%{F#888888}✉ off%{F-}
END
run status --socket "$work/<nowhere>" --format waybar
expect 'off' 0 <<END
{"text":"off","alt":"off","class":"off","tooltip":"belfryd does not run: there is no socket $work/&lt;nowhere&gt;"}
END
cp good answer

sed 's/,"ok":true}/,"notifiers":[{"notifier":"desktop","state":"ready","waiting":0,"quiet_until":null},{"notifier":"phone\\u202e","state":"quiet","waiting":2,"quiet_until":"2026-01-02T07:00:00Z"},{"notifier":"x","state":"away","waiting":1,"quiet_until":null},7],"ok":true}/' good >answer
ask answer status
steady
expect_clean 'status of notifiers' out
grep -v '^ \|^account\|^belfryd\|^$' out >some
mv some out
expect 'status of notifiers' 0 <<'END'
notifier phone: quiet until 2026-01-02 07:00, 2 notifications wait
notifier x: away, 1 notification waits
END
cp good answer

sed 's/"loading"/"waiting"/; s/"proven":null,"trouble":null/"proven":null,"next_try_in_s":90,"trouble":"no \\u001b[2Jroute\\n\\u202e"/; s/"waiting":0/"waiting":3/; s/"dropped":0/"dropped":0,"trouble":"login: 535 no","next_try_in_s":3000/; s/"failed":0/"failed":2/; s/"locked_out":null/"locked_out":"the server says\\r\\nno"/' good >answer
ask answer status
steady
expect_clean 'status in trouble' out
expect 'status in trouble' 1 <<'END'
belfryd 0.1.0, pid 42, started AGO, 6 rules of /c/belfry.conf

account work: ann@example.org at mail.example.org
 locked out: the server says no
 put it right, then: belfryctl reload
 MAILBOX STATE PROVEN NEXT PROOF NEXT UID OPEN TROUBLE
 INBOX watching AGO in 5 min 23 s 1234 0
 Lists/x waiting never 2 no [2Jroute ; next try in 1 min 30 s
 INBOX: renewed every 6 min, since connections died in silence
 INBOX: new mail was not pushed 2 times, so the server is asked besides
 forwards: 3 waiting, 2 failed (belfryctl queue lists them)
 forwards wait: login: 535 no; next try in 50 min
END

cat >answer <<'END'
{"ok":true,"time":"2026-01-01T10:00:00Z","event":"hello","version":"0.1.0"}
{"time":"2026-01-01T10:00:01Z","event":"judged","account":"work","mailbox":"INBOX","uid":7,"text":"","from":"Boss","subject":"a\u001b[31m\u202eb\nc","rules":"boss vip"}
{"time":"2026-01-01T10:00:02Z","event":"forward-deferred","account":"work","to":"x@example.org","text":"451 later","retry_in_s":60}
{"time":"2026-01-01T10:00:03Z","event":"reloaded","account":null,"text":"2 accounts, 6 rules"}
{"time":"2026-01-01T10:00:04Z","event":"notified","account":"","text":"shown"}
{"event":[],"unknown":{"to":[1]}}
END
ask answer watch --no-reconnect
expect_clean 'watch' out
expect 'watch' 69 <<'END'
10:00:01  work/INBOX/7  judged: Boss: a[31mb c; rules boss vip
10:00:02  work  forward-deferred to x@example.org: 451 later; next try in 1 min
10:00:03  belfryd  reloaded: 2 accounts, 6 rules
10:00:04  belfryd  notified: shown
00:00:00  belfryd  
END
expect_words 'watch' 69 err 'belfryd has ended'
ask answer watch --json --no-reconnect
expect_clean 'watch' out
test "$(wc -l <out)" = 7 || fail 'watch: seven lines, and the end is one'
while read -r line; do
	printf '%s' "$line" | "$python" -m json.tool >/dev/null ||
		echo "$line"
done <out >bad
test -s bad && fail "watch: not JSON: $(cat bad)"

cat >answer <<'END'
{"messages":[{"judged":"2026-01-02T10:00:00Z","account":"work","mailbox":"INBOX","uidvalidity":1,"uid":8,"message_id":"<b@x>","from":"Boss","subject":"second","rules":"","observed":"old: move to Old","warnings":"rule x: a limit\nrule y: too","effects":[]},{"judged":"2026-01-01T10:00:00Z","account":"work","mailbox":"INBOX","uidvalidity":1,"uid":7,"message_id":"<a@x>","from":"Boss","subject":"first","rules":"boss","observed":"","warnings":"","effects":[{"rule":"boss","action":"mark","what":"mark flagged","state":"done","detail":"","changed":null},{"rule":"","action":"notify","what":"notify","state":"failed","detail":"no \u0007bell","changed":null}]}],"ok":true}
END
ask answer history --account work --rule boss --since 2026-01-01T00:00:00Z -n5
expect 'history' 0 <<'END'
2026-01-01 10:00  work/INBOX/7  Boss: first
    boss       mark flagged  done
    (default)  notify        failed  no bell
2026-01-02 10:00  work/INBOX/8  Boss: second
    would: old: move to Old
    warning: rule x: a limit
    warning: rule y: too
END
grep -qx '{"version":1,"command":"history","since":1767225600,"limit":5,"account":"work","rule":"boss"}' \
	sock.request || fail "history: asks $(cat sock.request)"
ask answer history --until 2026-01-02T00:00:00Z --outcome open --outcome failed,observed
grep -qx '{"version":1,"command":"history","until":1767312000,"observed":true,"outcomes":\["planned","started","failed"\]}' \
	sock.request || fail "history: asks $(cat sock.request)"
ask answer history --json
expect_json 'history'

cat >answer <<'END'
{"items":[{"id":3,"account":"work","to":"x@example.org","rule":"fwd","subject":"hello","message_id":"<m@x>","state":"failed","attempts":2,"queued":"2026-01-01T10:00:00Z","next_try":null,"reply":"550 5.1.1 no \u001b[1mone"}],"ok":true}
END
ask answer queue
expect 'queue' 0 <<'END'
ID  STATE   QUEUED            ACCOUNT  TO             RULE  SUBJECT  REPLY
3   failed  2026-01-01 10:00  work     x@example.org  fwd   hello    550 5.1.1 no [1mone
END
cat >answer <<'END'
{"items":[{"id":3,"account":"work","to":"x@example.org","rule":"fwd","subject":"hello","message_id":"<m@x>","state":"waiting","attempts":0,"queued":"2026-01-01T10:00:00Z","next_try":"2026-01-01T10:00:00Z","reply":""}],"stopped":[],"waits":[{"account":"work","trouble":"login: 535 n\u001bo","cure":"change what `password_command` prints, then: belfryctl queue retry all","next_try_in_s":3000},{"account":"home","trouble":"no route","cure":null,"next_try_in_s":30}],"ok":true}
END
ask answer queue
expect 'queue that waits' 0 <<'END'
ID  STATE    QUEUED            ACCOUNT  TO             RULE  SUBJECT  REPLY
3   waiting  2026-01-01 10:00  work     x@example.org  fwd   hello
forwards of work wait for you: login: 535 no; change what `password_command` prints, then: belfryctl queue retry all; looked at again in 50 min
forwards of home wait: no route; next try in 30 s
END
cat >answer <<'END'
{"items":[{"id":3,"account":"home","to":"x@example.org","rule":"fwd","subject":"hello","message_id":"<m@x>","state":"waiting","attempts":2,"queued":"2026-01-01T10:00:00Z","next_try":"2026-01-01T10:00:00Z","reply":"no","as":"attach","unknown":"hold","mailbox":"INBOX","uidvalidity":7,"uid":9}],"refused":[{"account":"work","words":"mail.example.org refused the password of work, and it is still the same (535 no)","hint":"change what `password_command` prints"}],"ok":true}
END
ask answer queue retry all
expect 'queue retry all, one refused' 1 <<'END'
forward 3 to x@example.org is tried now
work: not tried: mail.example.org refused the password of work, and it is still the same (535 no); change what `password_command` prints
END
run queue --anyway
expect_words 'queue --anyway' 64 err 'only retry knows it'
printf '%s\n' '{"items":[],"ok":true}' >answer
ask answer queue
expect 'empty queue' 0 <<'END'
the queue is empty
END
cat >answer <<'END'
{"items":[{"id":3,"account":"work","to":"x@example.org","rule":"fwd","subject":"hello","message_id":"<m@x>","state":"held","attempts":2,"queued":"2026-01-01T10:00:00Z","next_try":null,"reply":"no\u001b[1m","as":"attach","unknown":"hold","mailbox":"INBOX","uidvalidity":7,"uid":9}],"ok":true}
END
ask answer queue show 3
expect 'queue show' 0 <<'END'
forward 3 to x@example.org
  state      held
  reply      no[1m
  tries      2
  queued     2026-01-01 10:00
  subject    hello
  message    work/INBOX/9
  rule       fwd
  as         attach
  unknown    hold
  sent as    <m@x>
END
ask answer queue release 3 7
expect 'queue release' 0 <<'END'
forward 3 to x@example.org is sent again now
END
grep -qx '{"version":1,"command":"queue","action":"release","ids":\["3","7"\]}' \
	sock.request || fail "queue release: asks $(cat sock.request)"
ask answer queue drop all --account work
expect 'queue drop all' 0 <<'END'
forward 3 to x@example.org is dropped
END
grep -qx '{"version":1,"command":"queue","account":"work","action":"drop"}' \
	sock.request || fail "queue drop all: asks $(cat sock.request)"

printf '%s\n' '{"reloaded":true,"problems":"","ok":true}' >answer
ask answer reload
expect 'reload' 0 <<'END'
reloaded
END
printf '%s\n' '{"problems":"a.conf:3:1: error: no\n    mvoe = \u001b[31m\n    ^\n","reloaded":false,"ok":true}' >answer
ask answer reload
expect 'reload refused' 78 <<'END'
a.conf:3:1: error: no
    mvoe = [31m
    ^
refused: the old configuration stays
END
ask answer reload --json
expect_json 'reload refused'
expect_schema 'reload refused' reload
test "$code" = 78 || fail "reload --json: exit code $code"

printf '%s\n' '{"ok":true}' >answer
ask answer notify 'Hello there' 'you'
expect 'notify' 0 <<'END'
given to every notifier that takes it
END
grep -qx '{"version":1,"command":"notify","text":"Hello there you"}' \
	sock.request || fail "notify: asks $(cat sock.request)"
ask answer pause work
expect 'pause' 0 <<'END'
paused: work
END
printf '%s\n' '{"until":"2026-01-01T00:00:00Z","ok":true}' >answer
for words in '2h' 'work 2h'; do
	# shellcheck disable=SC2086
	TZ=UTC ask answer pause $words
	expect 'pause' 0 <<END
paused: $(test "$words" = 2h && echo all accounts || echo work), until 2026-01-01 00:00
END
	grep -q '"for_s":7200}' sock.request ||
		fail "pause: asks $(cat sock.request)"
done
printf '%s\n' '{"until":null,"ok":true}' >answer
ask answer resume
expect 'resume' 0 <<'END'
resumed: all accounts
END
printf '%s\n' '{"ok":false,"error":"there is no account \u001b[5mx","hint":"belfryctl status lists them"}' >answer
ask answer pause x
expect 'refused' 1 err <<'END'
belfryctl: there is no account [5mx
    belfryctl status lists them
END
ask answer pause x --json
expect_json 'refused'
expect_schema 'refused' pause
expect_clean 'refused' out

# ---- a daemon that is old, foreign, or out of order ----

printf '%s\n' '{"ok":false,"error":"this daemon speaks version 7 of the control protocol","hint":"belfryctl and belfryd must be of the same release"}' >answer
ask answer status
expect 'other version' 1 err <<'END'
belfryctl: this daemon speaks version 7 of the control protocol
    belfryctl and belfryd must be of the same release
END
ask silent status --timeout 1s
expect_words 'silent' 75 err 'belfryd does not answer'
ask silent watch --timeout 1s
expect_words 'silent' 75 err 'belfryd does not answer'
ask close status
expect_words 'closed' 69 err 'belfryd closed the connection'
ask huge status
expect_words 'huge' 76 err 'belfryd answers with more than'
printf 'SSH-2.0-x\033[31m\r\n' >answer
ask answer status
expect_words 'foreign' 76 err 'is another program listening there?'
expect_clean 'foreign' err
printf '{"ok":true' >answer
ask answer status
expect_words 'cut' 69 err 'belfryd closed the connection'
printf '[]\n' >answer
ask answer status
expect_words 'array' 1 err 'belfryd refused without a reason'
printf '{"ok":true}\n' >answer
for command in status history queue reload; do
	ask answer $command
	test -s out || fail "bare answer: $command prints nothing"
	test "$code" -lt 128 || fail "bare answer: $command dies: $code"
done
printf '{"ok":true,"accounts":[[],1,{"mailboxes":[null],"forwards":3}],"items":{},"messages":[7]}\n' >answer
for command in status history queue; do
	ask answer $command
	test "$code" -lt 128 || fail "odd answer: $command dies: $code"
done

test "$failures" = 0 || echo "$failures failures"
test "$failures" = 0
