# shellcheck shell=sh
# Private mail servers for tests and the demo, on loopback, in one folder.
#
# To be read by a POSIX shell that has set -u or not, set -e or not:
#
#   . tests/lib/servers.sh
#   servers_have || exit 77           # says what is missing
#   servers_start "$dir"              # sets the variables below
#   servers_deliver ann@example.com message.eml
#   servers_list ann@example.com
#   servers_stop                      # done at exit, too
#
# What runs: a Dovecot of its own (IMAP with STARTTLS, IMAP over TLS, LMTP) and
# submission.py (SMTP with STARTTLS, SMTP over TLS, AUTH), with certificates of
# a test authority. As root or as an ordinary user. No service of the system is
# touched, no port is fixed, any number of them can run at once.
#
# Before servers_start a caller may set
#   SERVERS_USERS           logins, separated by blanks; mail for them is taken
#   SERVERS_DOVECOT_EXTRA   lines that are added to Dovecot's configuration
#   SERVERS_LISTEN          an address besides loopback that is listened on
#   SERVERS_NAMES           further names for the certificate: ,DNS:...,IP:...
#   SERVERS_TRAP=no         the caller's own traps call servers_stop
#   SERVERS_LIB             this folder, when not found from $0 or $srcdir
#   PYTHON                  a Python 3 that has aiosmtpd
#
# servers_start sets and exports
#   SERVERS_DIR             the folder
#   SERVERS_HOST            localhost
#   SERVERS_IMAP_PORT       IMAP, STARTTLS required
#   SERVERS_IMAPS_PORT      IMAP over TLS
#   SERVERS_LMTP_PORT       LMTP, no TLS
#   SERVERS_SMTP_PORT       submission, STARTTLS and AUTH required
#   SERVERS_SMTPS_PORT      submission over TLS, AUTH required
#   SERVERS_CA              the authority's certificate (PEM)
#   SERVERS_PASSWORD        of all users
#   SERVERS_SENT            folder: each message that the submission server
#                           took as N.eml, its envelope as N.json
#   SERVERS_FAULTS          file: what the submission server does wrong next;
#                           see submission.py
#   SERVERS_DOVECOT_CONF    for doveadm -c
#   SERVERS_LOG             folder of the servers' logs

SERVERS_PASSWORD=secret
SERVERS_HOST=localhost

# Debian keeps Dovecot in sbin, which is not in everybody's path.
case ":$PATH:" in
*:/usr/sbin:*) ;;
*) PATH=$PATH:/usr/sbin:/sbin ;;
esac

# The Python that Debian's modules belong to, before any other.
if [ -z "${PYTHON-}" ]; then
	PYTHON=python3
	[ ! -x /usr/bin/python3 ] || PYTHON=/usr/bin/python3
fi

if [ -z "${SERVERS_LIB-}" ]; then
	for SERVERS_LIB in "${srcdir:-.}/tests/lib" "$(dirname "$0")/../lib" \
	    "$(dirname "$0")/../tests/lib" "$(dirname "$0")"; do
		[ ! -f "$SERVERS_LIB/servers.py" ] || break
	done
fi
SERVERS_LIB=$(cd "$SERVERS_LIB" && pwd)

servers_say() {
	printf 'servers: %s\n' "$*" >&2
}

# Whether all parts are installed. Prints the first that is not.
servers_have() {
	for servers_part in dovecot doveadm openssl; do
		command -v "$servers_part" >/dev/null || {
			servers_say "$servers_part is not installed"
			return 1
		}
	done
	[ -x /usr/lib/dovecot/lmtp ] || [ -x /usr/libexec/dovecot/lmtp ] || {
		servers_say "Dovecot's LMTP server is not installed"
		return 1
	}
	"$PYTHON" -c 'import aiosmtpd' 2>/dev/null || {
		servers_say "$PYTHON has no aiosmtpd"
		return 1
	}
}

# A test authority, and a certificate of it for this machine.
servers_make_certificates() {
	(
		cd "$SERVERS_DIR/tls" || exit
		umask 077
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		    -nodes -days 30 -subj "/CN=Belfry test authority" \
		    -addext basicConstraints=critical,CA:TRUE \
		    -addext keyUsage=critical,keyCertSign,cRLSign \
		    -keyout ca.key -out ca.crt &&
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
		    -nodes -subj "/CN=localhost" -keyout server.key \
		    -out server.csr &&
		printf '%s\n' \
		    "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1${SERVERS_NAMES-}" \
		    'extendedKeyUsage=serverAuth' >server.ext &&
		openssl x509 -req -days 30 -in server.csr -CA ca.crt \
		    -CAkey ca.key -CAcreateserial -extfile server.ext \
		    -out server.crt &&
		chmod 644 ca.crt server.crt
	) >"$SERVERS_LOG/openssl.log" 2>&1 || {
		servers_say "making the certificates failed:"
		cat "$SERVERS_LOG/openssl.log" >&2
		return 1
	}
}

# Dovecot gives mail access to no process of root's, so then it is nobody's.
servers_write_users() {
	if [ "$(id -u)" = 0 ]; then
		servers_owner=nobody
		servers_login=dovenull
		servers_internal=dovecot
	else
		servers_owner=$(id -un)
		servers_login=$servers_owner
		servers_internal=$servers_owner
	fi
	servers_uid=$(id -u "$servers_owner")
	servers_gid=$(id -g "$servers_owner")
	: >"$SERVERS_DIR/users"
	for servers_user in $SERVERS_USERS; do
		mkdir -p "$SERVERS_DIR/mail/$servers_user"
		printf '%s:{PLAIN}%s:%s:%s::%s\n' "$servers_user" \
		    "$SERVERS_PASSWORD" "$servers_uid" "$servers_gid" \
		    "$SERVERS_DIR/mail/$servers_user" >>"$SERVERS_DIR/users"
	done
	[ "$(id -u)" != 0 ] || chown -R "$servers_uid:$servers_gid" \
	    "$SERVERS_DIR/mail"
}

servers_write_dovecot_conf() {
	cat >"$SERVERS_DOVECOT_CONF" <<-END
	protocols = imap lmtp
	listen = 127.0.0.1 ${SERVERS_LISTEN-}
	base_dir = $SERVERS_RUN
	state_dir = $SERVERS_DIR/state
	log_path = $SERVERS_LOG/dovecot.log
	instance_name = belfry-test
	default_internal_user = $servers_internal
	default_internal_group = $(id -gn "$servers_internal")
	default_login_user = $servers_login
	ssl = required
	ssl_cert = <$SERVERS_DIR/tls/server.crt
	ssl_key = <$SERVERS_DIR/tls/server.key
	auth_mechanisms = plain login
	auth_verbose = yes
	first_valid_uid = 1
	mail_location = maildir:~/Maildir
	mail_max_userip_connections = 100
	mailbox_list_index = yes
	recipient_delimiter = +
	imap_idle_notify_interval = 2 mins
	passdb {
	  driver = passwd-file
	  args = $SERVERS_DIR/users
	}
	userdb {
	  driver = passwd-file
	  args = $SERVERS_DIR/users
	}
	namespace inbox {
	  inbox = yes
	  separator = /
	  mailbox Drafts {
	    auto = subscribe
	    special_use = \\Drafts
	  }
	  mailbox Sent {
	    auto = subscribe
	    special_use = \\Sent
	  }
	  mailbox Archive {
	    auto = subscribe
	    special_use = \\Archive
	  }
	  mailbox Junk {
	    auto = subscribe
	    special_use = \\Junk
	  }
	  mailbox Trash {
	    auto = subscribe
	    special_use = \\Trash
	  }
	}
	service imap-login {
	  chroot =
	  inet_listener imap {
	    port = $SERVERS_IMAP_PORT
	  }
	  inet_listener imaps {
	    port = $SERVERS_IMAPS_PORT
	    ssl = yes
	  }
	}
	service lmtp {
	  inet_listener lmtp {
	    port = $SERVERS_LMTP_PORT
	  }
	}
	service anvil {
	  chroot =
	}
	service stats {
	  chroot =
	  unix_listener stats-writer {
	    mode = 0666
	  }
	}
	$SERVERS_DOVECOT_EXTRA
	END
}

# Starts Dovecot where it was (the ports stay), for tests that took it away.
servers_imap_start() {
	dovecot -F -c "$SERVERS_DOVECOT_CONF" </dev/null \
	    >"$SERVERS_LOG/dovecot.out" 2>&1 &
	SERVERS_DOVECOT_PID=$!
	"$PYTHON" "$SERVERS_LIB/servers.py" wait "$SERVERS_DOVECOT_PID" \
	    "$SERVERS_IMAP_PORT" "$SERVERS_IMAPS_PORT" "$SERVERS_LMTP_PORT"
}

# What is left of one that was ended may hold the ports a moment longer.
servers_imap_start_again() {
	for servers_try in 1 2 3 4 5 6 7 8 9 10; do
		! servers_imap_start || return 0
		sleep 0.5
	done
	return 1
}

servers_end() {
	[ -n "${1-}" ] || return 0
	kill "$1" 2>/dev/null || return 0
	wait "$1" 2>/dev/null || :
}

servers_imap_stop() {
	servers_end "${SERVERS_DOVECOT_PID-}"
	SERVERS_DOVECOT_PID=
}

# Between finding a free port and taking it another may take it: try again.
servers_dovecot() {
	for servers_try in 1 2 3 4 5; do
		# shellcheck disable=SC2046 # three words are wanted
		set -- $("$PYTHON" "$SERVERS_LIB/servers.py" ports 3)
		SERVERS_IMAP_PORT=$1
		SERVERS_IMAPS_PORT=$2
		SERVERS_LMTP_PORT=$3
		servers_write_dovecot_conf
		! servers_imap_start || return 0
		servers_imap_stop
	done
	servers_say "Dovecot does not start (tried $servers_try times):"
	cat "$SERVERS_LOG/dovecot.out" "$SERVERS_LOG/dovecot.log" >&2
	return 1
}

servers_submission_start() {
	rm -f "$SERVERS_DIR/submission.ports"
	"$PYTHON" "$SERVERS_LIB/submission.py" --dir "$SERVERS_DIR" \
	    --password "$SERVERS_PASSWORD" \
	    --host "${SERVERS_LISTEN:-127.0.0.1}" \
	    --smtp-port "${SERVERS_SMTP_PORT:-0}" \
	    --smtps-port "${SERVERS_SMTPS_PORT:-0}" </dev/null \
	    >"$SERVERS_LOG/submission.log" 2>&1 &
	SERVERS_SUBMISSION_PID=$!
	"$PYTHON" "$SERVERS_LIB/servers.py" wait-file \
	    "$SERVERS_SUBMISSION_PID" "$SERVERS_DIR/submission.ports" || {
		servers_say "the submission server does not start:"
		cat "$SERVERS_LOG/submission.log" >&2
		return 1
	}
	read -r SERVERS_SMTP_PORT SERVERS_SMTPS_PORT \
	    <"$SERVERS_DIR/submission.ports"
}

servers_submission_stop() {
	servers_end "${SERVERS_SUBMISSION_PID-}"
	SERVERS_SUBMISSION_PID=
}

# servers_start DIR: false when anything is wrong, which it has then said.
servers_start() {
	mkdir -p "$1" || return
	SERVERS_DIR=$(cd "$1" && pwd)
	SERVERS_LOG=$SERVERS_DIR/log
	SERVERS_CA=$SERVERS_DIR/tls/ca.crt
	SERVERS_SENT=$SERVERS_DIR/sent
	SERVERS_FAULTS=$SERVERS_DIR/faults
	SERVERS_DOVECOT_CONF=$SERVERS_DIR/dovecot.conf
	SERVERS_SMTP_PORT='' SERVERS_SMTPS_PORT=''
	: "${SERVERS_USERS:=ann@example.com ann@work.example bob@example.com}"
	: "${SERVERS_DOVECOT_EXTRA:=}"
	mkdir -p "$SERVERS_DIR/tls" "$SERVERS_DIR/state" "$SERVERS_DIR/mail" \
	    "$SERVERS_LOG" "$SERVERS_SENT" || return
	# Dovecot's other users must come through; there is nothing to hide.
	chmod 755 "$SERVERS_DIR" "$SERVERS_DIR/mail" || return
	# The name of a Unix socket has at most 107 bytes.
	SERVERS_RUN=$SERVERS_DIR/run
	if [ "${#SERVERS_RUN}" -gt 70 ]; then
		SERVERS_RUN=$(mktemp -d /tmp/belfry-run-XXXXXX) || return
	fi
	if [ "${SERVERS_TRAP-}" != no ]; then
		trap servers_stop EXIT
		trap 'exit 129' HUP
		trap 'exit 130' INT
		trap 'exit 143' TERM
	fi
	servers_make_certificates && servers_write_users &&
	    servers_dovecot && servers_submission_start || return
	export SERVERS_DIR SERVERS_HOST SERVERS_IMAP_PORT SERVERS_IMAPS_PORT \
	    SERVERS_LMTP_PORT SERVERS_SMTP_PORT SERVERS_SMTPS_PORT SERVERS_CA \
	    SERVERS_PASSWORD SERVERS_SENT SERVERS_FAULTS \
	    SERVERS_DOVECOT_CONF SERVERS_LOG
}

# Ends what servers_start began; leaves the folder.
servers_stop() {
	servers_imap_stop
	servers_submission_stop
	case ${SERVERS_RUN-} in
	/tmp/belfry-run-*) rm -rf "$SERVERS_RUN" ;;
	esac
}

# servers_deliver USER FILE [ENVELOPE-SENDER]: as an MTA does, by LMTP.
servers_deliver() {
	"$PYTHON" "$SERVERS_LIB/servers.py" deliver "$@"
}

# servers_list USER: each mailbox with its messages, flags and subjects.
servers_list() {
	"$PYTHON" "$SERVERS_LIB/servers.py" list "$@"
}

# servers_dump USER: the same and more, as JSON.
servers_dump() {
	"$PYTHON" "$SERVERS_LIB/servers.py" dump "$@"
}

# servers_sent: what the submission server took, one line each.
servers_sent() {
	"$PYTHON" "$SERVERS_LIB/servers.py" sent
}
