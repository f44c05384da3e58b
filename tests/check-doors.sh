#!/bin/sh
# check-doors.sh: who may include whom, and who may touch the world.
#
#	check-doors.sh [tree]
#
# Reads the sources under the tree (default: $srcdir, then ".") and, if there
# is one, the built libwire.a ($LIBWIRE, $top_builddir/libwire.a, ./libwire.a),
# and says as file:line: what breaks the layers of daemon/ARCHITECTURE.md:
#
#   - an outside library's header anywhere but behind its door;
#   - a layer that includes a layer it may not see;
#   - a clock, file, socket, process or log in a part that only thinks;
#   - an include that is not written from the top of the tree;
#   - an undefined symbol in libwire.a that no engine needs.
#
# Exits with 1 if there is anything to say.
set -u
LC_ALL=C
export LC_ALL

tree=${1:-${srcdir:-.}}

# Header (a name, or a folder with its slash), then its doors: the files that
# are one, and whoever may include what they share.
DOORS='
ini.h           daemon/config/reader.c
pcre2.h         rules/pattern.c
pcre2posix.h    rules/pattern.c
openssl/        daemon/loop/tls_private.h daemon/loop/tls.c daemon/loop/tls_cert.c daemon/loop/tls_error.c daemon/loop/tls_own.c daemon/loop/tls_policy.c daemon/loop/tls_resume.c daemon/loop/tls_store.c daemon/loop/tls_verify.c daemon/base/digest.c
daemon/loop/tls_private.h  daemon/loop/tls.c daemon/loop/tls_cert.c daemon/loop/tls_error.c daemon/loop/tls_own.c daemon/loop/tls_policy.c daemon/loop/tls_resume.c daemon/loop/tls_store.c daemon/loop/tls_verify.c
event2/         daemon/loop/loop.c
event.h         daemon/loop/loop.c
evdns.h         daemon/loop/loop.c
evutil.h        daemon/loop/loop.c
sqlite3.h       daemon/store/sqlite_private.h daemon/store/sqlite.c daemon/store/sqlite_history.c daemon/store/sqlite_queue.c daemon/store/sqlite_read.c daemon/store/sqlite_schema.c daemon/store/sqlite_statement.c daemon/store/sqlite_write.c daemon/store/wal.c
daemon/store/sqlite_private.h  daemon/store/sqlite.c daemon/store/sqlite_history.c daemon/store/sqlite_queue.c daemon/store/sqlite_read.c daemon/store/sqlite_schema.c daemon/store/sqlite_statement.c daemon/store/sqlite_write.c
sqlite3ext.h    daemon/store/sqlite.c
curl/           daemon/loop/http.c
libnotify/      notifiers/desktop/
glib.h          notifiers/desktop/
glib-object.h   notifiers/desktop/
glib-unix.h     notifiers/desktop/
glib/           notifiers/desktop/
gio/            notifiers/desktop/
gdk-pixbuf/     notifiers/desktop/
jansson.h       daemon/control/json.c
expat.h         daemon/setup/autoconfig.c
resolv.h        daemon/loop/dns.c
arpa/nameser.h  daemon/loop/dns.c
err.h           daemon/control/belfryctl.c
syslog.h        daemon/loop/ daemon/wiring/ daemon/belfryd.c
'

# File or folder, then what it may see. The first row that fits counts, so
# the narrower stands above the wider. What no row fits is an error.
LAYERS='
daemon/base/       daemon/base/
daemon/wire/imap/  daemon/base/ daemon/wire/engine.h daemon/wire/backoff.h daemon/wire/sasl/ daemon/wire/imap/
daemon/wire/smtp/  daemon/base/ daemon/wire/engine.h daemon/wire/sasl/ daemon/wire/smtp/
daemon/wire/sasl/  daemon/base/ daemon/wire/sasl/
daemon/wire/       daemon/base/ daemon/wire/engine.h daemon/wire/backoff.h
daemon/mail/       daemon/base/ daemon/mail/
daemon/store/      daemon/base/ daemon/store/
rules/             daemon/base/ daemon/mail/ rules/
notifiers/         daemon/base/ daemon/mail/ rules/ notifiers/
daemon/account/    daemon/base/ daemon/wire/ daemon/mail/ daemon/store/ rules/ notifiers/ daemon/account/
daemon/outbox/     daemon/base/ daemon/wire/ daemon/mail/ daemon/store/ rules/ notifiers/ daemon/outbox/
daemon/oauth2/     daemon/base/ daemon/wire/backoff.h daemon/control/json.h daemon/oauth2/
daemon/setup/      daemon/base/ daemon/config/presets.h daemon/config/syntax.h daemon/setup/
daemon/control/session.h  daemon/base/ daemon/wire/engine.h daemon/control/
daemon/control/ctl_setup.h  daemon/base/ daemon/config/ daemon/control/ daemon/setup/
daemon/control/ctl_login.h  daemon/control/
daemon/control/ctl_setup.c  daemon/base/ daemon/config/ daemon/control/
daemon/control/ctl_setup_find.c  daemon/base/ daemon/config/ daemon/control/ daemon/wiring/discovery.h
daemon/control/ctl_setup_secret.c  daemon/base/ daemon/config/ daemon/control/ daemon/wiring/errand.h
daemon/control/ctl_setup_start.c  daemon/base/ daemon/control/ daemon/wiring/errand.h
daemon/control/ctl_setup_test.c  daemon/base/ daemon/config/ daemon/control/ daemon/wiring/checkup.h
daemon/control/ctl_doctor.h  daemon/control/ daemon/doctor/
daemon/control/ctl_doctor.c  daemon/base/ daemon/config/ daemon/control/ daemon/doctor/ daemon/wiring/checkup.h
daemon/control/ctl_folder.c  daemon/base/ daemon/wire/imap/utf7.h daemon/control/
daemon/control/ctl_check.c  daemon/base/ daemon/config/ daemon/control/ daemon/wiring/token_file.h
daemon/control/ctl_login.c  daemon/base/ daemon/config/ daemon/control/ daemon/oauth2/ daemon/wiring/sign_in.h
daemon/control/    daemon/base/ daemon/mail/ daemon/store/ rules/ notifiers/ daemon/account/ daemon/outbox/ daemon/config/ daemon/control/
daemon/config/     daemon/base/ daemon/wire/ daemon/mail/ daemon/store/ rules/ notifiers/ daemon/account/ daemon/outbox/ daemon/oauth2/provider.h daemon/control/ daemon/config/
daemon/doctor/     daemon/base/ daemon/wire/imap/refusal.h daemon/config/presets.h daemon/doctor/
daemon/loop/       daemon/base/ daemon/wire/engine.h daemon/loop/
daemon/wiring/     daemon/ rules/ notifiers/
daemon/belfryd.c   daemon/ rules/ notifiers/
'

# Calls (and the two streams) that touch the world.
WORLD='
time gettimeofday clock_gettime clock times localtime localtime_r mktime
gmtime gmtime_r timegm tzset sleep usleep nanosleep clock_nanosleep alarm
setitimer
fopen fdopen freopen popen open openat creat read write pread pwrite readv
writev unlink rename mkdir mkstemp stat lstat fstat access readlink realpath
opendir readdir scandir
socket socketpair connect bind listen accept accept4 send sendto sendmsg recv
recvfrom recvmsg poll ppoll select pselect epoll_create1 epoll_wait
getaddrinfo getnameinfo gethostbyname
fork vfork execl execlp execv execve execvp posix_spawn posix_spawnp system
wait waitpid kill signal sigaction pthread_create getenv setenv
rand srand getrandom getentropy arc4random arc4random_buf arc4random_uniform
printf vprintf fprintf vfprintf dprintf vdprintf puts fputs putc fputc putchar
fwrite fflush perror syslog vsyslog openlog
exit _exit
'
STREAMS='stderr stdout stdin'

# Files (or the beginning of their names) that may; "*" is everything.
# value: the HOME of a path with a tilde; settings_doc: a tool of the build;
# xalloc: out of memory there is nobody left to hand an error to.
WORLDLY='
daemon/loop/               *
daemon/wiring/             *
daemon/belfryd.c           *
notifiers/desktop/         *
daemon/config/reader.c     *
daemon/config/files.c      *
daemon/config/value.c      getenv
daemon/config/secrets      *
daemon/config/paths.c      getenv access
daemon/config/settings_doc *
daemon/store/directory.c   *
daemon/control/belfryctl   *
daemon/control/ctl_        *
daemon/base/xalloc.c       fputs stderr
'

# What libwire.a may need from outside, as extended regular expressions.
SYMBOLS='
malloc|calloc|realloc|reallocarray|free|abort
mem(chr|rchr|cmp|cpy|mem|move|set|pcpy)|explicit_bzero|bcmp
str(n?len|n?cmp|n?casecmp|chr|rchr|chrnul|str|casestr|n?dup|s?pn|cspn|pbrk)
strto(u?l|u?ll|[iu]max)|__isoc23_strto(u?l|u?ll|[iu]max)
v?snprintf|qsort|bsearch
__(mem(cpy|move|set|pcpy)|v?snprintf|explicit_bzero)_chk
__assert_fail|__stack_chk_(fail|guard)|_GLOBAL_OFFSET_TABLE_
__(asan|ubsan|sanitizer|sancov|lsan|odr_asan|gcov|llvm|start|stop)_.*
(base64|buf|digest|error|random|secret|span|str|char|strv|usec|utf8)_.*
fault_name|memory_wipe|size_parse|unix_(format|split)
x(malloc|calloc|reallocarray|strdup|strdup_span|asprintf|free_str)
'

export DOORS LAYERS WORLD STREAMS WORLDLY

# ---- Sources ----

read_sources() {
	cd "$tree" || exit 1
	# Only those that are there: contrib may have no C.
	for folder in daemon rules notifiers tests contrib; do
		test -d "$folder" && find "$folder" -name '*.[ch]' -type f
	done | sort | tr '\n' '\0' | xargs -0 awk '
	function complain(what) {
		printf "%s:%d: %s\n", FILENAME, FNR, what
	}

	# Reads rows "key value..." into the array, and their order.
	function read_table(text, values, keys,	rows, i, n, count) {
		n = split(text, rows, "\n")
		for (i = 1; i <= n; i++) {
			if (!match(rows[i], /^[^ \t]+/))
				continue
			keys[++count] = substr(rows[i], 1, RLENGTH)
			values[count] = substr(rows[i], RLENGTH + 1)
		}
		return count
	}

	function read_words(text, set,	words, i, n) {
		n = split(text, words, /[ \t\n]+/)
		for (i = 1; i <= n; i++)
			if (words[i] != "")
				set[words[i]] = 1
	}

	function starts(text, prefix) {
		return substr(text, 1, length(prefix)) == prefix
	}

	# A folder or file of the list covers the path.
	function is_covered(path, list,	items, i, n) {
		n = split(list, items, /[ \t]+/)
		for (i = 1; i <= n; i++)
			if (items[i] == path ||
			    (items[i] ~ /\/$/ && starts(path, items[i])))
				return 1
		return 0
	}

	BEGIN {
		doors = read_table(ENVIRON["DOORS"], door_files, door_names)
		layers = read_table(ENVIRON["LAYERS"], layer_sees, layer_names)
		worldlies = read_table(ENVIRON["WORLDLY"], worldly_words,
		    worldly_names)
		read_words(ENVIRON["WORLD"], world)
		read_words(ENVIRON["STREAMS"], streams)
	}

	# ---- Once for each file ----

	function find_layer(	i) {
		for (i = 1; i <= layers; i++)
			if (is_covered(FILENAME, layer_names[i]))
				return i
		return 0
	}

	# The words of the world that this file may use, "*" for all.
	function find_permits(	i, permits) {
		for (i = 1; i <= worldlies; i++)
			if (starts(FILENAME, worldly_names[i]))
				permits = permits " " worldly_words[i]
		return permits " "
	}

	function start_file() {
		in_comment = 0
		is_ours = FILENAME ~ /^(daemon|rules|notifiers)\//
		layer = is_ours ? find_layer() : 0
		permits = find_permits()
		if (is_ours && !layer)
			complain("no row for this file in tests/check-doors.sh")
	}

	# ---- Includes ----

	function check_door(name,	i) {
		for (i = 1; i <= doors; i++)
			if (is_covered(name, door_names[i]) &&
			    !is_covered(FILENAME, door_files[i]))
				complain(name ": only" door_files[i] \
				    " may include it")
	}

	function check_include(line,	name, quoted) {
		sub(/^[ \t]*#[ \t]*include[ \t]*/, "", line)
		quoted = line ~ /^"/
		if (!match(line, /^["<][^">]*/))
			return
		name = substr(line, 2, RLENGTH - 1)
		if (name == "config.h")
			return
		if (quoted &&
		    (name !~ /^(daemon|rules|notifiers|tests)\// ||
		    name ~ /(^|\/)\.\.?\//)) {
			complain(name ": not written from the top of the tree")
			return
		}
		if (!is_ours)
			return
		check_door(name)
		if ((quoted || name ~ /^(daemon|rules|notifiers|tests)\//) &&
		    layer && !is_covered(name, layer_sees[layer]))
			complain(name ": " layer_names[layer] \
			    " may not see it")
	}

	# ---- Calls ----

	# The line without comments and with empty literals.
	function strip(line,	code, at, mark) {
		while (line != "") {
			if (in_comment) {
				at = index(line, "*/")
				if (!at)
					return code
				line = substr(line, at + 2)
				in_comment = 0
				continue
			}
			if (!match(line, /\/\*|\/\/|"|\047/))
				return code line
			code = code substr(line, 1, RSTART - 1) " "
			mark = substr(line, RSTART, RLENGTH)
			line = substr(line, RSTART)
			if (mark == "//")
				return code
			if (mark == "/*") {
				in_comment = 1
				line = substr(line, 3)
			} else if (mark == "\"") {
				if (!match(line, /^"([^"\\]|\\.)*"/))
					return code
				line = substr(line, RLENGTH + 1)
			} else {
				if (!match(line, /^\047([^\047\\]|\\.)*\047/))
					return code
				line = substr(line, RLENGTH + 1)
			}
		}
		return code
	}

	function is_permitted(word) {
		return index(permits, " * ") || index(permits, " " word " ")
	}

	# A name in front of "(", but not a member of something.
	function is_call(before, after) {
		return before !~ /(\.|->)[ \t]*$/ && after ~ /^[ \t]*\(/
	}

	function check_calls(code,	word, before) {
		before = ""
		while (match(code, /[A-Za-z_][A-Za-z0-9_]*/)) {
			word = substr(code, RSTART, RLENGTH)
			before = before substr(code, 1, RSTART - 1)
			code = substr(code, RSTART + RLENGTH)
			if (((word in world) && is_call(before, code) ||
			    (word in streams)) && !is_permitted(word))
				complain(word ": touches the world")
			before = before word
		}
	}

	FNR == 1 { start_file() }

	!in_comment && /^[ \t]*#[ \t]*include/ { check_include($0) }

	{
		code = strip($0)
		if (is_ours)
			check_calls(code)
	}
	'
}

# ---- The library ----

find_library() {
	for library in "${LIBWIRE:-}" "${top_builddir:-.}/libwire.a"; do
		if test -n "$library" && test -f "$library"; then
			echo "$library"
			return
		fi
	done
}

# Undefined in one member and defined in none.
list_needs() {
	nm -P "$1" 2>/dev/null | awk '
	NF >= 2 && $2 ~ /^[Uw]$/ { needed[$1] = 1; next }
	NF >= 2 { defined[$1] = 1 }
	END {
		for (name in needed)
			if (!(name in defined))
				print name
	}' | sort
}

check_library() {
	allowed=$(echo "$SYMBOLS" | sed '/^$/d' | tr '\n' '|')
	list_needs "$1" | grep -Evx "${allowed%|}" |
	    sed "s|^|$1:0: |; s|\$|: an engine does not need this|"
}

if test -n "${LIBWIRE:-}" && ! test -f "$LIBWIRE"; then
	echo "$LIBWIRE:0: no such library"
	exit 1
fi
# Found from here: read_sources runs in a subshell, elsewhere.
library=$(find_library)
complaints=$(
	(read_sources)
	test -z "$library" || check_library "$library"
)
if test -n "$complaints"; then
	echo "$complaints"
	exit 1
fi
exit 0
