/*
 * imap/session: what the scripts cannot see. The dialogues themselves are in
 * tests/scripts/imap.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/wire/imap/session_private.h"

#define SECRET "hunter2-canary"

/* ---- A session to look into ---- */

static void
expect(struct imap_session *s, enum imap_event_kind kind)
{
	struct imap_event event;

	assert_true(imap_session_next_event(s, &event, 0));
	assert_int_equal(event.kind, kind);
}

static void
say(struct imap_session *s, const char *text)
{
	imap_session_feed(s, span_from_str(text), 0);
}

static void
send_all(struct imap_session *s)
{
	imap_session_sent(s, imap_session_output(s).len);
}

static struct imap_session *
new_session(void)
{
	static const struct imap_session_config config = {.user = "ann"};
	struct imap_session *s = imap_session_new(&config, 0);

	say(s, "* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] x\r\n");
	expect(s, IMAP_EVENT_SECRET);
	return s;
}

static struct imap_session *
ready_session(void)
{
	struct imap_session *s = new_session();

	imap_session_secret(s, SPAN(SECRET), 0);
	send_all(s);
	say(s, "b1 OK [CAPABILITY IMAP4rev1] in\r\n");
	expect(s, IMAP_EVENT_READY);
	return s;
}

static bool
is_zero(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\0')
			return false;
	}
	return true;
}

/* ---- Secrets ---- */

static void
test_secret_is_wiped(void **state)
{
	struct imap_session *s = new_session();
	struct span out;

	(void)state;
	imap_session_secret(s, SPAN(SECRET), 0);
	out = imap_session_output(s);
	assert_true(out.len > 20);
	imap_session_sent(s, 20);
	assert_true(is_zero(s->out.data, 20));
	imap_session_sent(s, out.len - 20);
	assert_true(is_zero(s->out.data, s->out.len));
	assert_non_null(s->secret.bytes);
	say(s, "b1 OK [CAPABILITY IMAP4rev1] in\r\n");
	expect(s, IMAP_EVENT_READY);
	assert_null(s->secret.bytes);
	assert_int_equal(s->command_count, 0);
	imap_session_free(&s);
	assert_null(s);
}

static void
test_secret_dies_with_session(void **state)
{
	struct imap_session *s = new_session();

	(void)state;
	imap_session_secret(s, SPAN(SECRET), 0);
	imap_session_eof(s, 0);
	expect(s, IMAP_EVENT_FAILED);
	assert_null(s->secret.bytes);
	assert_null(s->out.data);
	assert_int_equal(s->command_count, 0);
	imap_session_free(&s);
}

/* ---- Limits ---- */

static unsigned
send_noop(struct imap_session *s)
{
	struct imap_command command;

	imap_session_command(s, &command, "NOOP");
	return imap_session_send(s, &command, 0);
}

static void
test_queue_is_bounded(void **state)
{
	struct imap_session *s = ready_session();
	unsigned last = 0;

	(void)state;
	/* One place stays for LOGOUT. */
	for (int i = 0; i < IMAP_COMMANDS_MAX - 1; i++) {
		unsigned id = send_noop(s);

		assert_true(id > last);
		last = id;
	}
	assert_int_equal(send_noop(s), 0);
	imap_session_logout(s, 0);
	assert_int_equal(s->command_count, IMAP_COMMANDS_MAX);
	imap_session_free(&s);
}

static void
test_invalid_command(void **state)
{
	struct imap_session *s = ready_session();
	struct imap_command command;

	(void)state;
	imap_session_command(s, &command, "CREATE");
	imap_command_string(&command, SPAN("a\0b"));
	assert_int_equal(imap_session_send(s, &command, 0), 0);
	assert_int_equal(imap_session_output(s).len, 0);
	assert_int_equal(imap_session_deadline(s), USEC_NEVER);
	imap_session_free(&s);
}

static void
test_untagged_is_bounded(void **state)
{
	struct imap_session *s = ready_session();

	(void)state;
	for (int i = 0; i < IMAP_UNTAGGED_MAX; i++) {
		say(s, "* 1 EXISTS\r\n");
		expect(s, IMAP_EVENT_UNTAGGED);
	}
	assert_int_not_equal(send_noop(s), 0);
	send_all(s);
	say(s, "b2 OK\r\n* 1 EXISTS\r\n");
	expect(s, IMAP_EVENT_DONE);
	expect(s, IMAP_EVENT_UNTAGGED);
	for (int i = 1; i < IMAP_UNTAGGED_MAX; i++) {
		say(s, "* 1 EXISTS\r\n");
		expect(s, IMAP_EVENT_UNTAGGED);
	}
	say(s, "* 1 EXISTS\r\n");
	expect(s, IMAP_EVENT_FAILED);
	imap_session_free(&s);
}

static void
test_heard(void **state)
{
	struct imap_session *s = ready_session();

	(void)state;
	imap_session_feed(s, SPAN("* 1"), 7 * USEC_SEC);
	assert_int_equal(imap_session_heard(s), 7 * USEC_SEC);
	imap_session_feed(s, SPAN_EMPTY, 8 * USEC_SEC);
	assert_int_equal(imap_session_heard(s), 7 * USEC_SEC);
	imap_session_free(&s);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_secret_is_wiped),
	    cmocka_unit_test(test_secret_dies_with_session),
	    cmocka_unit_test(test_queue_is_bounded),
	    cmocka_unit_test(test_invalid_command),
	    cmocka_unit_test(test_untagged_is_bounded),
	    cmocka_unit_test(test_heard),
	};

	return cmocka_run_group_tests_name("imap-session", tests, NULL, NULL);
}
