# shellcheck shell=sh
# The Debian packages that contrib/demo and contrib/check need: the one list,
# and how they are installed. Read by both.

# To build Belfry.
PACKAGES_BUILD="gcc libc6-dev make autoconf automake autoconf-archive
 pkg-config libevent-dev libsqlite3-dev libpcre2-dev libinih-dev libssl-dev
 libjansson-dev libcurl4-openssl-dev libexpat1-dev libnotify-dev xz-utils"

# Private mail servers, and the real mail that goes through them: Python's own
# e-mail corpus, and the bounces that Mailman's parser is tested with.
PACKAGES_SERVERS="dovecot-core dovecot-imapd dovecot-lmtpd openssl python3
 python3-aiosmtpd ca-certificates"
# Debian's IMAP servers exclude each other: besides Dovecot they are not
# installed but unpacked, see packages_unpack; and their libraries.
PACKAGES_UNPACKED="cyrus-common cyrus-imapd courier-authlib courier-base
 courier-imap sasl2-bin"
PACKAGES_LIBRARIES="libcom-err2 libcourier-unicode4 libgamin0 libgdbm6 libical3
 libicu72 libidn12 libkrb5-3 libldap-2.5-0 libpcre3 libpq5 libsasl2-2
 libsasl2-modules libsqlite3-0 libwrap0 libxapian30 libxml2"
PACKAGES_MAIL="libpython3.11-testsuite python3-flufl.bounce"

# What the tests use besides.
PACKAGES_TESTS="build-essential libcmocka-dev clang libclang-rt-dev llvm mandoc dbus
 libglib2.0-dev gnome-keyring libsecret-tools dunst xfce4-notifyd xfconf mako-notifier sway grim tmux xvfb
 xauth imagemagick xdotool procps git python3-gi python3-jsonschema apparmor
 debhelper dpkg-dev fish zsh fonts-dejavu-core lintian chromium strace iproute2
 util-linux desktop-file-utils systemd"
# Only one mail server can be installed: another one is not pushed out.
if [ ! -e /usr/sbin/sendmail ] || [ -e /usr/sbin/postfix ]; then
	PACKAGES_TESTS="$PACKAGES_TESTS postfix"
fi

# packages_missing PACKAGE...: those that are not installed.
packages_missing() {
	for packages_one; do
		# shellcheck disable=SC2016 # the format is dpkg's
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$packages_one" \
		    2>/dev/null)" = installed ] || printf '%s ' "$packages_one"
	done
}

# As root, directly or by sudo.
packages_as_root() {
	if [ "$(id -u)" = 0 ]; then
		env DEBIAN_FRONTEND=noninteractive "$@"
	else
		sudo env DEBIAN_FRONTEND=noninteractive "$@"
	fi
}

# Servers that come with a package are not wanted running: for the length of
# the installation nothing starts, and what is new is not started at boot.
packages_forbid_start() {
	PACKAGES_POLICY=
	[ ! -e /usr/sbin/policy-rc.d ] || return 0
	packages_as_root sh -c 'printf "#!/bin/sh\nexit 101\n" \
	    >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d' ||
	    return
	PACKAGES_POLICY=/usr/sbin/policy-rc.d
}

packages_allow_start() {
	[ -n "${PACKAGES_POLICY-}" ] || return 0
	packages_as_root rm -f "$PACKAGES_POLICY"
	PACKAGES_POLICY=
}

packages_disable_new() {
	packages_units=
	case " $1 " in *" dovecot-core "*)
		packages_units="dovecot.service dovecot.socket" ;;
	esac
	case " $1 " in *" postfix "*)
		packages_units="$packages_units postfix.service" ;;
	esac
	[ -n "$packages_units" ] && command -v systemctl >/dev/null ||
		return 0
	# shellcheck disable=SC2086 # a list of words
	packages_as_root systemctl disable $packages_units || :
}

packages_apt() {
	packages_as_root apt-get -q -o Acquire::Retries=3 update &&
	    # shellcheck disable=SC2086 # a list of words
	    packages_as_root apt-get -q -y -o Acquire::Retries=3 \
		-o Dpkg::Use-Pty=0 --no-install-recommends install $1 &&
	    packages_disable_new "$1"
}

# packages_install LOG PACKAGE...: installs what is missing; false after a
# message when that cannot be.
packages_install() {
	packages_log=$1
	shift
	command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || {
		echo "This is not Debian (there is no apt-get)." \
		    "Install what contrib/packages.sh lists and use" \
		    "--no-install." >&2
		return 1
	}
	packages_list=$(packages_missing "$@")
	[ -n "$packages_list" ] || return 0
	if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
		echo "These packages are missing: $packages_list" >&2
		echo "Run this as root, or install them first." >&2
		return 1
	fi
	echo "Installing $(echo "$packages_list" | wc -w) Debian packages" \
	    "(log: $packages_log)"
	trap 'packages_allow_start; exit 130' INT TERM HUP
	packages_forbid_start && packages_apt "$packages_list" \
	    >"$packages_log" 2>&1 && packages_status=0 || packages_status=1
	packages_allow_start
	trap - INT TERM HUP
	[ "$packages_status" = 0 ] || {
		tail -n 20 "$packages_log" >&2
		echo "Installing failed: $packages_list" >&2
		return 1
	}
}

# Where tests/lib/other_servers.py looks. As root the servers run as nobody,
# who must come there.
packages_unpack_folder() {
	if [ -n "${BELFRY_TEST_SERVERS-}" ]; then
		echo "$BELFRY_TEST_SERVERS"
	elif [ "$(id -u)" = 0 ]; then
		echo /var/cache/belfry-test-servers
	else
		echo "${XDG_CACHE_HOME:-$HOME/.cache}/belfry-test-servers"
	fi
}

# packages_unpack LOG PACKAGE...: their files into packages_unpack_folder. No
# script of the packages runs, no user is made, nothing is started. Once: to
# have newer ones, remove the folder.
packages_unpack() {
	packages_log=$1
	shift
	packages_folder=$(packages_unpack_folder)
	[ "$(cat "$packages_folder/packages" 2>/dev/null)" != "$*" ] ||
		return 0
	echo "Unpacking $# Debian packages into $packages_folder"
	packages_debs=$(mktemp -d) || return
	(
		cd "$packages_debs" &&
		{ apt-get -q -o Acquire::Retries=3 download "$@" || {
			packages_as_root apt-get -q update &&
			apt-get -q -o Acquire::Retries=3 download "$@"; }; } &&
		mkdir -p "$packages_folder" && for packages_one in *.deb; do
			dpkg -x "$packages_one" "$packages_folder" || exit
		done && echo "$*" >"$packages_folder/packages"
	) >>"$packages_log" 2>&1 && packages_status=0 || packages_status=1
	rm -rf "$packages_debs"
	[ "$packages_status" = 0 ] || {
		tail -n 20 "$packages_log" >&2
		echo "Unpacking failed: $*" >&2
		return 1
	}
}

# sources_copy FROM TO: the sources without what a build left in them. Times
# are kept, so that make sees what changed.
sources_copy() {
	mkdir -p "$2" && tar -C "$1" -cf - --exclude=./.git \
	    --exclude='./build*' --exclude=./artifacts \
	    --exclude=./autom4te.cache --exclude=./config.status \
	    --exclude=./config.h --exclude=./stamp-h1 --exclude=./Makefile \
	    --exclude=./configure --exclude=./Makefile.in \
	    --exclude=./aclocal.m4 --exclude=./config.h.in \
	    --exclude=./contrib/build-aux --exclude='*.o' --exclude='*.a' \
	    --exclude=.deps --exclude=.dirstamp --exclude=__pycache__ . |
	    tar -C "$2" -xf -
}
