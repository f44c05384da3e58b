#!/bin/sh
# check-doors-test.sh: check-doors.sh passes a clean tree and catches each kind
# of violation in it, at the right file and line and nothing else.
set -u

here=${srcdir:-.}
check=$here/tests/check-doors.sh
test -f "$check" || check=$(dirname "$0")/check-doors.sh
check=$(cd "$(dirname "$check")" && pwd)/check-doors.sh
work=$(mktemp -d "${TMPDIR:-/tmp}/check-doors.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
unset LIBWIRE top_builddir
failed=0

# put FILE LINE...: writes the lines to a file of the tree.
put() {
	file=$work/tree/$1
	shift
	mkdir -p "$(dirname "$file")"
	printf '%s\n' "$@" >"$file"
}

# Whatever is allowed, in each layer; and what only looks forbidden.
make_clean_tree() {
	rm -rf "$work/tree"
	put daemon/base/digest.c '#include <openssl/evp.h>' \
	    '#include "daemon/base/buf.h"' '#include "config.h"'
	put daemon/base/xalloc.c 'fputs("out of memory", stderr);'
	put daemon/wire/backoff.c '#include "daemon/wire/backoff.h"'
	put daemon/wire/imap/session.c '#include "daemon/wire/engine.h"' \
	    '#include "daemon/wire/sasl/sasl.h"' \
	    '/* printf(), time() and' ' * open() in a comment' ' */ int x;' \
	    'const char *s = "time( \" printf("; // read(it)' \
	    'class->read(x); class.write (x); my_time(x); timeout(x);' \
	    "char c = '\"'; int time; /* \" */" \
	    'snprintf(s, 1, "x");'
	put daemon/mail/text.c '#include <iconv.h>'
	put daemon/store/sqlite.c '#include <sqlite3.h>'
	put daemon/store/directory.c 'open("x", 0);'
	put rules/pattern.c '#include <pcre2.h>' \
	    '#include "daemon/mail/text.h"'
	put notifiers/exec.c '#include "notifiers/notifier.h"'
	put notifiers/desktop/main.c '#include <libnotify/notify.h>' \
	    '#include <glib.h>' 'printf("x");'
	put daemon/account/account.c '#include "daemon/wire/imap/session.h"' \
	    '#include "rules/rules.h"' '#include "daemon/store/store.h"'
	put daemon/outbox/outbox.c '#include "daemon/wire/smtp/session.h"'
	put daemon/control/json.c '#include <jansson.h>'
	put daemon/control/belfryctl.c '#include "daemon/config/settings.h"' \
	    'printf("x"); socket(1, 2, 3);'
	put daemon/config/reader.c '#include <ini.h>' 'fopen("x", "r");'
	put daemon/config/value.c 'getenv("HOME");'
	put daemon/config/files.c 'open("x", 0);'
	put daemon/config/secrets_file.c 'open("x", 0);'
	put daemon/loop/loop.c '#include <event2/event.h>' \
	    '#include "daemon/wire/engine.h"' 'time(NULL);'
	put daemon/loop/tls.c '#include <openssl/ssl.h>'
	put daemon/loop/http.c '#include <curl/curl.h>'
	put daemon/wiring/wiring.c '#include "daemon/loop/loop.h"' 'exit(1);'
	put daemon/belfryd.c '#include "daemon/account/account.h"'
	put tests/unit/test-x.c '#include <openssl/ssl.h>' \
	    '#include "tests/lib/splitter.h"' 'printf("x");'
}

fail() {
	echo "case: $1"
	sed 's/^/  /' "$work/out"
	failed=1
}

# expect NAME WHERE-AND-WHAT: one complaint, that begins so.
expect() {
	if sh "$check" "$work/tree" >"$work/out" 2>&1; then
		fail "$1: not caught"
	elif test "$(grep -c . "$work/out")" -ne 1; then
		fail "$1: not one complaint"
	else
		case $(cat "$work/out") in
		"$2"*) ;;
		*) fail "$1: expected $2" ;;
		esac
	fi
}

# violate FILE WORD LINE: the line, alone and as the last of three, is caught.
violate() {
	make_clean_tree
	put "$1" '/* one */' '' "$3"
	expect "$1: $3" "$1:3: $2"
}

make_clean_tree
sh "$check" "$work/tree" >"$work/out" 2>&1 || fail 'the clean tree'
mkdir "$work/empty"
sh "$check" "$work/empty" >"$work/out" 2>&1 || fail 'an empty tree'

# Doors.
violate daemon/config/settings.c ini.h '#include <ini.h>'
violate rules/rules.c pcre2.h '#include <pcre2.h>'
violate daemon/loop/http.c openssl/ssl.h '#include <openssl/ssl.h>'
violate daemon/base/random.h openssl/rand.h '#  include <openssl/rand.h>'
violate daemon/loop/resolve.c event2/dns.h '#include <event2/dns.h>'
violate daemon/store/memory.c sqlite3.h '#include <sqlite3.h>'
violate notifiers/webhook.c curl/curl.h '#include <curl/curl.h>'
violate daemon/loop/desktop.c libnotify/notify.h \
    '#include <libnotify/notify.h>'
violate notifiers/exec.c glib.h '#include <glib.h>'
violate notifiers/exec.c gio/gio.h '#include <gio/gio.h>'
violate daemon/control/control.c jansson.h '#include <jansson.h>'
violate daemon/mail/text.c err.h '#include <err.h>'

# Layers.
violate daemon/base/buf.c daemon/mail/text.h '#include "daemon/mail/text.h"'
violate daemon/wire/imap/x.c daemon/wire/smtp/session.h \
    '#include "daemon/wire/smtp/session.h"'
violate daemon/wire/sasl/x.c daemon/wire/engine.h \
    '#include "daemon/wire/engine.h"'
violate daemon/wire/backoff.c daemon/wire/imap/session.h \
    '#include "daemon/wire/imap/session.h"'
violate daemon/mail/text.c daemon/wire/engine.h \
    '#include "daemon/wire/engine.h"'
violate daemon/store/memory.c rules/rules.h '#include "rules/rules.h"'
violate rules/rules.c notifiers/notifier.h '#include "notifiers/notifier.h"'
violate rules/rules.c daemon/store/store.h '#include "daemon/store/store.h"'
violate notifiers/exec.c daemon/account/account.h \
    '#include "daemon/account/account.h"'
violate daemon/account/x.c daemon/outbox/outbox.h \
    '#include "daemon/outbox/outbox.h"'
violate daemon/account/x.c daemon/loop/loop.h '#include "daemon/loop/loop.h"'
violate daemon/outbox/x.c daemon/config/settings.h \
    '#include "daemon/config/settings.h"'
violate daemon/control/x.c daemon/loop/loop.h '#include "daemon/loop/loop.h"'
violate daemon/config/x.c daemon/loop/loop.h '#include "daemon/loop/loop.h"'
violate daemon/loop/channel.c daemon/wire/imap/session.h \
    '#include "daemon/wire/imap/session.h"'
violate daemon/loop/channel.c daemon/wire/imap/session.h \
    '#include <daemon/wire/imap/session.h>'
violate daemon/mail/text.c tests/lib/splitter.h \
    '#include "tests/lib/splitter.h"'

# The world.
violate daemon/base/usec.c time 'x = time(NULL);'
violate daemon/base/usec.c gettimeofday 'gettimeofday(&x, NULL);'
violate daemon/wire/imap/x.c clock_gettime '	clock_gettime (0, &x);'
violate daemon/wire/smtp/x.c socket 'if (socket(1, 2, 3) < 0)'
violate daemon/mail/text.c fopen 'f = fopen("x", "r");'
violate daemon/mail/text.c printf 'printf("x");'
violate rules/rules.c fprintf 'fprintf(f, "x");'
violate rules/rules.c stderr 'f = stderr;'
violate notifiers/exec.c syslog 'syslog(1, "x");'
violate notifiers/exec.c fork '/* a */ fork(/* b */);'
violate daemon/account/x.h getenv 'getenv("x");'
violate daemon/outbox/x.c localtime_r 'localtime_r(&a, &b);'
violate daemon/config/settings.c open 'open("x", 0);'
violate daemon/config/value.c stat 'stat("x", &st);'
violate daemon/control/json.c fputs 'fputs("x", f);'
violate daemon/store/sqlite.c open 'open("x", 0);'
violate daemon/store/memory.c time '*now = time(0);'
violate daemon/base/xalloc.c printf 'printf("x");'
violate daemon/mail/text.c read '"\\"; read(0, x, 1); "/*"'

# Names.
violate daemon/mail/text.c text.h '#include "text.h"'
violate daemon/mail/text.c mail/text.h '#include "mail/text.h"'
violate tests/unit/test-x.c ../lib/splitter.h '#include "../lib/splitter.h"'
violate tests/unit/test-x.c daemon/../base/buf.h \
    '#include "daemon/../base/buf.h"'
make_clean_tree
put daemon/new/new.c 'int x;'
expect 'a folder without a row' 'daemon/new/new.c:1: no row'

# The library, where there is a compiler.
cc=${CC:-cc}
can_compile() {
	command -v nm >/dev/null && command -v ar >/dev/null &&
	    echo 'int x;' >"$work/x.c" &&
	    $cc -c "$work/x.c" -o "$work/x.o" >/dev/null 2>&1
}

make_library() {
	printf '%s\n' "$@" >"$work/x.c"
	rm -f "$work/libwire.a"
	$cc -w -O0 -fno-builtin -c "$work/x.c" -o "$work/x.o" &&
	    ar cr "$work/libwire.a" "$work/x.o"
	make_clean_tree
}

if can_compile; then
	LIBWIRE=$work/libwire.a
	export LIBWIRE
	make_library 'void *malloc(unsigned long); int strcmp();' \
	    'void buf_add(); int snprintf(); int own(void) { return 1; }' \
	    'void f(char *p) { p = malloc(1); buf_add(p); snprintf(p);' \
	    'strcmp(p, p); own(); }'
	sh "$check" "$work/tree" >"$work/out" 2>&1 || fail 'a clean library'
	make_library 'int getenv(); void f(void) { getenv("x"); }'
	expect 'a library that asks the world' "$LIBWIRE:0: getenv:"
	make_library 'int strange; void rules_x(); void f(void) { rules_x(); }'
	expect 'a library that asks above' "$LIBWIRE:0: rules_x:"
	rm -f "$work/libwire.a"
	expect 'a library that is not there' "$LIBWIRE:0: no such library"
else
	echo 'no compiler here: the library part is not tested'
fi

exit $failed
