#!/bin/sh
# test-desktop-dunst.sh: belfry-desktop with a real notification service on a
# real (virtual) screen. Leaves a picture of it in the build tree:
# artifacts/desktop-notification.png.
set -u
LC_ALL=C.UTF-8
TAB=$(printf '\t')
export LC_ALL

desktop=${BELFRY_DESKTOP:-$PWD/belfry-desktop}
picture=${BELFRY_ARTIFACTS:-$PWD/artifacts}/desktop-notification.png
if ! test -x "$desktop"; then
	echo "skipped: $desktop is not built"
	exit 77
fi
for program in dbus-daemon Xvfb dunst dunstctl import identify; do
	if ! command -v "$program" >/dev/null; then
		echo "skipped: there is no $program"
		exit 77
	fi
done

work=$(mktemp -d) || exit 1
pids=
finish() {
	exec 3>&-
	for pid in $pids; do
		kill "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM
# A notifier that has died fails a case, it does not end the test.
trap '' PIPE

# wait_until WHAT COMMAND...: at most 20 seconds.
wait_until() {
	what=$1
	shift
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1))
		if test $tries -gt 400; then
			echo "not seen: $what"
			cat "$work"/out "$work"/*.log 2>/dev/null
			exit 1
		fi
		sleep 0.05
	done
}

export XDG_RUNTIME_DIR="$work" XDG_CONFIG_HOME="$work"
export DBUS_SESSION_BUS_ADDRESS="unix:path=$work/bus"
unset WAYLAND_DISPLAY

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
mkdir "$work/dunst"
cat >"$work/dunst/dunstrc" <<EOF
[global]
geometry = "420x5-20+20"
markup = full
format = "<b>%s</b>\n%b"
font = Sans 11
idle_threshold = 0
EOF

# Xvfb picks a free number and says it.
Xvfb -displayfd 4 -screen 0 800x400x24 -nolisten tcp 4>"$work/display" \
    2>"$work/xvfb.log" &
pids="$pids $!"
wait_until "a screen" test -s "$work/display"
DISPLAY=:$(cat "$work/display")
export DISPLAY
dbus-daemon --config-file="$work/bus.conf" --nofork --nopidfile \
    2>"$work/bus.log" &
pids="$! $pids"
wait_until "a bus" test -S "$work/bus"

mkfifo "$work/in"
"$desktop" <"$work/in" >"$work/out" 2>"$work/err.log" &
pids="$! $pids"
exec 3>"$work/in"
wait_until "nobody there" grep -q '^unavailable' "$work/out"
dunst >"$work/dunst.log" 2>&1 3>&- &
pids="$! $pids"
wait_until "dunst" grep -q '^ready' "$work/out"

printf 'notify\tid=1\ttitle=%s\tbody=%s\turgency=normal\n' \
    'Ann Bell & Sons' 'Lunch at <noon>? Täglich & überall: 5 > 3' >&3
printf 'notify\tid=2\ttitle=%s\tbody=%s\turgency=critical\n' \
    'Disk full' '/var is at 99 %' >&3
wait_until "the first" grep -q "^shown${TAB}id=1$" "$work/out"
wait_until "the second" grep -q "^shown${TAB}id=2$" "$work/out"

are_displayed() {
	test "$(dunstctl count displayed)" -eq "$1"
}
has_picture() {
	import -window root "$work/screen.png" &&
	    test "$(identify -format %k "$work/screen.png")" -gt 16
}
wait_until "two on the screen" are_displayed 2
wait_until "something to see" has_picture
mkdir -p "$(dirname "$picture")"
cp "$work/screen.png" "$picture"

printf 'close\tid=2\n' >&3
wait_until "it is closed" \
    grep -q "^closed${TAB}id=2${TAB}reason=closed$" "$work/out"
wait_until "one on the screen" are_displayed 1
dunstctl close
wait_until "it is dismissed" \
    grep -q "^closed${TAB}id=1${TAB}reason=dismissed$" "$work/out"
echo "ok: picture in $picture"
