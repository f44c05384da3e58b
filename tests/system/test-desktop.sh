#!/bin/sh
# test-desktop.sh: belfry-desktop against a session bus of its own and a
# notification service that can do everything wrong.
#
# Runs in the build tree. Everything is below one temporary folder; only what
# was started here is ended here. All cases at once, each in a session of its
# own; with arguments, these. DESKTOP_PATIENT=1: a service that stalls never
# answers, which takes libnotify 25 seconds to see, instead of very late.
set -u
LC_ALL=C
TAB=$(printf '\t')
export LC_ALL

desktop=${BELFRY_DESKTOP:-$PWD/belfry-desktop}
mock=${BELFRY_MOCK:-$PWD/tests/system/mock-notifications}
for program in "$desktop" "$mock"; do
	if ! test -x "$program"; then
		echo "skipped: $program is not built"
		exit 77
	fi
done
if ! command -v dbus-daemon >/dev/null; then
	echo "skipped: there is no dbus-daemon"
	exit 77
fi

# The word behind a case's name is the parent's.
if test $# -ne 2 || test "$2" != alone; then
	test $# -gt 0 || set -- options no_bus what_arrives gnome plain_service \
	    bad_lines signals expired refusal talkative excess slow_service \
	    service_that_dies places started_by_the_bus bus_that_dies \
	    end_inside_a_call service_that_stalls
	cases=
	for case; do
		sh "$0" "$case" alone &
		cases="$cases $!"
	done
	failures=0
	for pid in $cases; do
		wait "$pid" || failures=$((failures + 1))
	done
	exit $((failures > 0))
fi

work=$(mktemp -d) || exit 1
desktop_pid= mock_pid= bus_pid=
failures=0
name=

end() { # PID
	test -n "$1" || return 0
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

finish() {
	exec 3>&-
	end "$desktop_pid"
	end "$mock_pid"
	end "$bus_pid"
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM
# A notifier that has died fails a case, it does not end the test.
trap '' PIPE

complain() {
	echo "$name: $*"
	sed 's/^/    out: /' "$work/out"
	test -f "$work/noted" && sed 's/^/    noted: /' "$work/noted"
	failures=$((failures + 1))
}

# ---- The parts ----

export XDG_RUNTIME_DIR="$work"
unset DBUS_SESSION_BUS_ADDRESS DISPLAY WAYLAND_DISPLAY

# No service is started on demand, but in one case: what is there, we started.
cat >"$work/bus.conf" <<EOF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
<type>session</type>
<listen>unix:path=$work/bus</listen>
<policy context="default">
<allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/>
<allow own="*"/>
</policy>
</busconfig>
EOF

start_bus() {
	dbus-daemon --config-file="$work/bus.conf" --nofork --nopidfile \
	    2>>"$work/bus.log" 3>&- &
	bus_pid=$!
	wait_until "the bus is there" test -S "$work/bus"
}

stop_bus() {
	end "$bus_pid"
	bus_pid=
	rm -f "$work/bus"
}

stop_mock() {
	end "$mock_pid"
	mock_pid=
}

# start_mock [NAME=VALUE...]
start_mock() {
	stop_mock
	: >"$work/noted"
	env "$@" "$mock" >"$work/noted" 2>>"$work/mock.log" 3>&- &
	mock_pid=$!
	wait_until "the service is there" grep -q '^owned$' "$work/noted"
}

start_desktop() {
	rm -f "$work/in"
	mkfifo "$work/in"
	: >"$work/out"
	"$desktop" <"$work/in" >"$work/out" 2>>"$work/err" &
	desktop_pid=$!
	exec 3>"$work/in"
}

# Ends its input: it ends, with 0.
stop_desktop() {
	exec 3>&-
	wait_until "it ends with its input" has_ended "$desktop_pid"
	wait "$desktop_pid"
	status=$?
	test "$status" -eq 0 || complain "it ended with $status"
	desktop_pid=
}

has_ended() {
	! kill -0 "$1" 2>/dev/null ||
	    grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

say() { # VERB FIELD...
	line=$1
	shift
	for field; do
		line="$line$TAB$field"
	done
	printf '%s\n' "$line" >&3
}

# wait_until WHAT COMMAND...: at most 40 seconds; a show may block for 25.
wait_until() {
	what=$1
	shift
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		if test $tries -gt 800; then
			complain "not seen: $what"
			return 1
		fi
		sleep 0.05
	done
}

count_is() { # FILE LINE COUNT
	test "$(sed "s/${TAB}place=.*//" "$work/$1" |
	    grep -cxF -- "$2")" -ge "$3"
}

lines_are() { # COUNT PATTERN
	test "$(grep -c -- "$2" "$work/out")" -eq "$1"
}

# heard LINE [COUNT], noted LINE [COUNT]: such a line, as a whole, but for its
# place.
heard() {
	wait_until "answer: $1" count_is out "$1" "${2:-1}"
}
noted() {
	wait_until "note: $1" count_is noted "$1" "${2:-1}"
}
silent() { # PATTERN
	grep -q -- "$1" "$work/out" && complain "unexpected: $1"
}

GONE="unavailable${TAB}reason=the notification service has gone"
READY="ready${TAB}version=1${TAB}capabilities=body,body-markup,actions"
HINTS="category='email.arrived';desktop-entry='belfry'"

# ---- The cases ----

test_options() {
	"$desktop" --version | grep -q '^belfry-desktop [0-9]' ||
	    complain "no version"
	"$desktop" --help | grep -q '^usage: ' || complain "no help"
	"$desktop" --nonsense </dev/null 2>/dev/null &&
	    complain "took a wrong option"
	: >"$work/out"
}

test_no_bus() {
	start_desktop
	heard "unavailable${TAB}reason=there is no session bus"
	say notify id=1 title=T
	heard "unavailable${TAB}reason=the notification service is not there"
	# The bus comes, the service later still.
	start_bus
	start_mock
	heard "$READY"
	say notify id=1 title=T
	heard "shown${TAB}id=1"
	stop_desktop
}

test_what_arrives() {
	start_mock
	start_desktop
	heard "$READY"
	say notify id=1 account=work urgency=normal \
	    actions=trash,default,nonsense,read,archive,copy,read-all \
	    'title=Ann <b> & "you"' \
	    'body=<img src="file:///dev/urandom"> a & b &amp; %s%n\nline 2' \
	    icon=mail-unread sound=message-new-email
	noted "Notify 1 0 Belfry|mail-unread|Ann <b> & \"you\"|&lt;img src=&quot;file:///dev/urandom&quot;&gt; a &amp; b &amp;amp; %s%n/line 2|default,Open,copy,Copy code,read,Mark read,read-all,Mark all read,archive,Archive,trash,Trash|$HINTS;sound-name='message-new-email';urgency=byte 0x01;x-kde-origin-name='work'"
	heard "shown${TAB}id=1"
	# Strange ids, icons and sounds; no title.
	say notify id=18446744073709551615 urgency=critical body=B \
	    icon=file:///dev/urandom 'sound=../x' actions=default
	noted "Notify 2 0 Belfry|mail-unread|B||default,Open|$HINTS;urgency=byte 0x02"
	heard "shown${TAB}id=18446744073709551615"
	say notify id=3 urgency=low title=T body=B 'preview=<p> & so' \
	    icon=/dev/zero
	noted "Notify 3 0 Belfry|mail-unread|T|B/&lt;p&gt; &amp; so||$HINTS;urgency=byte 0x00"
	# The same id again replaces it.
	say notify id=1 title=again
	noted "Notify 1 1 Belfry|mail-unread|again|||$HINTS;urgency=byte 0x01"
	heard "shown${TAB}id=1" 2
	say close id=1
	noted "Close 1"
	heard "closed${TAB}id=1${TAB}reason=closed"
	say close id=77
	stop_desktop
}

# What it would lose when it is replaced is closed and shown anew.
test_gnome() {
	start_mock MOCK_NAME=gnome-shell
	start_desktop
	heard "$READY${TAB}singles=2"
	say notify id=1 title=T actions=read
	noted "Notify 1 0 Belfry|mail-unread|T||read,Mark read|$HINTS;urgency=byte 0x01"
	say notify id=1 title=again actions=read
	noted "Close 1"
	noted "Notify 2 0 Belfry|mail-unread|again||read,Mark read|$HINTS;urgency=byte 0x01"
	heard "shown${TAB}id=1" 2
	# Without buttons nothing is lost.
	say notify id=3 title=T
	noted "Notify 3 0 Belfry|mail-unread|T|||$HINTS;urgency=byte 0x01"
	say notify id=3 title=again
	noted "Notify 3 3 Belfry|mail-unread|again|||$HINTS;urgency=byte 0x01"
	silent "^closed${TAB}id=1"
	say close id=1
	noted "Close 2"
	heard "closed${TAB}id=1${TAB}reason=closed"
	stop_desktop
}

test_plain_service() {
	start_mock MOCK_CAPS=body
	start_desktop
	heard "ready${TAB}version=1${TAB}capabilities=body"
	say notify id=1 'title=<T>' 'body=<b> & c'
	noted "Notify 1 0 Belfry|mail-unread|<T>|<b> & c||$HINTS;urgency=byte 0x01"
	stop_desktop
	# Nothing but a title can be shown.
	start_mock MOCK_CAPS=persistence
	start_desktop
	heard "ready${TAB}version=1${TAB}capabilities=persistence"
	say notify id=1 'title=T' 'body=B & c' preview=P actions=default,read
	noted "Notify 1 0 Belfry|mail-unread|T: B & c|B & c/P||$HINTS;urgency=byte 0x01"
	stop_desktop
}

test_bad_lines() {
	start_mock
	start_desktop
	heard "$READY"
	printf 'nonsense\n\n\t\t\nnotify\nnotify\tid=x\nshown\tid=1\n' >&3
	printf 'notify\tid=9\ttitle=\\q\n\377\376\000\n' >&3
	head -c 100000 /dev/zero | tr '\0' x >&3
	printf '\n' >&3
	say notify id=1 title=T
	heard "shown${TAB}id=1"
	silent 'id=9'
	printf 'notify\tid=2\ttitle=\377<\033[1m\n' >&3
	heard "shown${TAB}id=2"
	stop_desktop
}

test_signals() {
	start_mock MOCK_ACTION=default MOCK_CLOSE=2
	start_desktop
	heard "$READY"
	say notify id=5 title=T actions=default
	heard "action${TAB}id=5${TAB}key=default"
	heard "closed${TAB}id=5${TAB}reason=dismissed"
	# What was not offered cannot be chosen.
	say notify id=6 title=T actions=read
	heard "closed${TAB}id=6${TAB}reason=dismissed"
	silent "action${TAB}id=6"
	stop_desktop
	start_mock MOCK_ACTION=read MOCK_TOKEN=from-the-compositor
	start_desktop
	heard "$READY"
	say notify id=5 title=T actions=default,read
	heard "action${TAB}id=5${TAB}key=read${TAB}token=from-the-compositor"
	stop_desktop
}

# Plasma goes on listing what expired: once read, it is to go from there.
test_expired() {
	start_mock MOCK_CLOSE=1
	start_desktop
	heard "$READY"
	say notify id=5 title=T
	heard "closed${TAB}id=5${TAB}reason=expired"
	say notify id=6 title=T
	heard "closed${TAB}id=6${TAB}reason=expired"
	say close id=5
	noted "Close 1"
	# Shown anew, it is another one.
	say notify id=6 title=T
	noted "Notify 3 0 Belfry|mail-unread|T|||$HINTS;urgency=byte 0x01"
	heard "closed${TAB}id=6${TAB}reason=expired" 2
	say close id=6
	noted "Close 3"
	# The numbers of a service that ended mean nothing to the next.
	say notify id=7 title=T
	heard "closed${TAB}id=7${TAB}reason=expired"
	stop_mock
	heard "$GONE"
	start_mock
	heard "$READY" 2
	say close id=7
	say notify id=8 title=T
	heard "shown${TAB}id=8"
	grep -q '^Close' "$work/noted" && complain "closed a stranger"
	stop_desktop
}

test_refusal() {
	start_mock MOCK_ERROR='Too many'
	start_desktop
	heard "$READY"
	say notify id=5 title=T
	heard "failed${TAB}id=5${TAB}reason=Too many"
	say notify id=6 title=T
	heard "failed${TAB}id=6${TAB}reason=Too many"
	silent '^unavailable'
	stop_desktop
}

# The daemon ends whom it hears a line above 16 KiB from.
no_long_line() {
	awk 'length > 4096 { exit 1 }' "$work/out" || complain "a long line"
}

test_talkative() {
	long=$(head -c 20000 /dev/zero | tr '\0' x)
	start_mock MOCK_ERROR="$long"
	start_desktop
	heard "$READY"
	say notify id=5 title=T
	wait_until "a refusal" lines_are 1 '^failed.id=5.reason=xxx'
	no_long_line
	stop_desktop
	start_mock MOCK_CAPS="body,body-markup,$long,actions" \
	    MOCK_ACTION=read MOCK_TOKEN="$long"
	start_desktop
	wait_until "it is ready" lines_are 1 '^ready.*=body,body-markup,xxx'
	say notify id=5 title=T actions=default,read
	heard "action${TAB}id=5${TAB}key=read"
	no_long_line
	stop_desktop
}

# Plasma's answer to too many: nothing is lost, it is asked again later.
test_excess() {
	start_mock MOCK_EXCESS=1
	start_desktop
	heard "$READY"
	say notify id=5 title=T
	heard "unavailable${TAB}reason=it is shown too many at once${TAB}keeps=yes"
	say notify id=6 title=T
	heard "unavailable${TAB}reason=the notification service is not there${TAB}keeps=yes"
	heard "$READY" 2
	say notify id=5 title=T
	heard "shown${TAB}id=5"
	silent '^failed'
	stop_desktop
}

test_slow_service() {
	start_mock MOCK_DELAY=1000
	start_desktop
	heard "$READY"
	say notify id=1 title=T
	say notify id=2 title=T
	heard "shown${TAB}id=1"
	heard "shown${TAB}id=2"
	silent '^unavailable'
	stop_desktop
}

test_service_that_dies() {
	start_mock MOCK_DIE=1
	start_desktop
	heard "$READY"
	say notify id=1 title=T
	wait_until "it is away" grep -q '^unavailable' "$work/out"
	silent '^shown'
	wait "$mock_pid" 2>/dev/null
	start_mock
	heard "$READY" 2
	say notify id=1 title=T
	heard "shown${TAB}id=1"
	# Its ids are forgotten with it, its abilities too.
	stop_mock
	heard "$GONE"
	start_mock MOCK_CAPS=body
	heard "ready${TAB}version=1${TAB}capabilities=body"
	say close id=1
	say notify id=2 'title=T' 'body=a & b'
	noted "Notify 1 0 Belfry|mail-unread|T|a & b||$HINTS;urgency=byte 0x01"
	grep -q '^Close' "$work/noted" && complain "closed a stranger"
	stop_desktop
}

# Of an earlier life, by its place; what another service, or another bus, calls
# so is a stranger's.
test_places() {
	start_mock
	start_desktop
	heard "$READY"
	say notify id=7 title=T
	heard "shown${TAB}id=7"
	place=$(sed -n 's/^shown.*place=//p' "$work/out")
	grep -qx "$READY${TAB}place=${place%-*}-" "$work/out" ||
	    complain "ready does not say what its places begin with"
	stop_desktop
	start_desktop
	heard "$READY"
	say close id=1 "place=g${place#?}" # no digit of a bus's name
	say close id=1 "place=${place}0"
	say close id=1 "place=${place%-*}"
	say close id=1 "place=${place%-*}-x"
	say close id=1 "place=${place#*-}"
	say close id=1 place=
	say close id=1
	say close id=1 "place=$place"
	noted "Close 1"
	noted "Close 10"
	test "$(grep -c '^Close' "$work/noted")" -eq 2 ||
	    complain "closed a stranger: $(cat "$work/noted")"
	# Another service of the same bus, which counts from 1 as well.
	start_mock
	heard "$READY" 2
	say notify id=1 title=S
	heard "shown${TAB}id=1"
	say close id=2 "place=$place"
	say notify id=2 title=S
	heard "shown${TAB}id=2"
	grep -q '^Close' "$work/noted" && complain "closed a stranger"
	stop_desktop
}

# It ends when it is idle, and is started by the next call: before its name is
# seen here, it has shown something.
test_started_by_the_bus() {
	stop_bus
	cat >"$work/service" <<EOF
#!/bin/sh
echo \$\$ >"$work/service.pid"
exec "$mock" >>"$work/noted" 2>>"$work/mock.log"
EOF
	chmod +x "$work/service"
	mkdir "$work/services"
	cat >"$work/services/mock.service" <<EOF
[D-BUS Service]
Name=org.freedesktop.Notifications
Exec=$work/service
EOF
	sed -i "s|^<listen>|<servicedir>$work/services</servicedir>&|" \
	    "$work/bus.conf"
	: >"$work/noted"
	start_bus
	start_desktop
	heard "$READY"
	grep -q "^ready.*${TAB}place=" "$work/out" ||
	    complain "ready without a place"
	kill "$(cat "$work/service.pid")"
	sleep 0.5 # nothing is said of that
	say notify id=1 title=T
	heard "shown${TAB}id=1"
	place=$(sed -n 's/^shown.*place=//p' "$work/out")
	test -n "$place" || complain "shown without a place"
	stop_desktop
	start_desktop
	heard "$READY"
	say close id=7 "place=$place"
	noted "Close 1"
	stop_desktop
	kill "$(cat "$work/service.pid")"
}

test_bus_that_dies() {
	start_mock
	start_desktop
	heard "$READY"
	say notify id=1 title=T
	heard "shown${TAB}id=1"
	stop_mock
	heard "$GONE"
	stop_bus
	start_bus
	start_mock
	heard "$READY" 2
	# Also when the bus takes the service along.
	say notify id=2 title=T
	heard "shown${TAB}id=2"
	stop_bus
	wait "$mock_pid" 2>/dev/null
	# Either may be seen to go first.
	wait_until "it is away again" lines_are 2 '^unavailable'
	has_ended "$desktop_pid" && complain "it went with the bus"
	start_bus
	start_mock
	heard "$READY" 3
	say notify id=3 title=T
	heard "shown${TAB}id=3"
	say close id=3
	heard "closed${TAB}id=3${TAB}reason=closed"
	stop_desktop
}

test_end_inside_a_call() {
	start_mock MOCK_NOREPLY=1
	start_desktop
	heard "$READY"
	say notify id=1 title=T
	wait_until "it is asked" grep -q '^Notify' "$work/noted"
	stop_desktop
	silent '^shown\|^failed'
}

# libnotify waits for 25 seconds; the daemon must not.
test_service_that_stalls() {
	if test -n "${DESKTOP_PATIENT:-}"; then
		start_mock MOCK_NOREPLY=1
	else
		start_mock MOCK_DELAY=7000 MOCK_LATE=1
	fi
	start_desktop
	heard "$READY"
	say notify id=1 title=T
	say notify id=2 title=T
	heard "unavailable${TAB}reason=the notification service does not answer${TAB}keeps=yes"
	silent '^shown'
	heard "$READY" 2
	say notify id=1 title=T
	say notify id=2 title=T
	heard "shown${TAB}id=1"
	heard "shown${TAB}id=2"
	stop_desktop
}

name=$1
case $name in
options | no_bus) ;;
*) start_bus ;;
esac
"test_$name"
end "$desktop_pid"
desktop_pid=
if grep -q 'CRITICAL\|WARNING\|runtime error\|AddressSanitizer' "$work/err" \
    2>/dev/null
then
	echo "warnings:"
	cat "$work/err"
	failures=$((failures + 1))
fi
test "$failures" -gt 0 || echo "ok: $name"
exit $((failures > 0))
