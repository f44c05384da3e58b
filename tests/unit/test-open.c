/*
 * test-open: what is run to open a message.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/xalloc.h"
#include "notifiers/open.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

static const char gmail[] = "https://mail/?authuser=${email}#x%3A${message-id}";

static const struct {
	const char *name, *argument, *message_id, *webmail;
	const char *expanded; /* NULL: refused */
} cases[] = {
    {"a mid: address", "${url}", "<a.b-c_d+e=f@g.h>", NULL,
	"mid:a.b-c_d+e=f@g.h"},
    {"encoded", "${url}", "<a/b?c#d%e&\"' f@g>", NULL,
	"mid:a%2Fb%3Fc%23d%25e%26%22%27%20f@g"},
    {"bytes above ASCII", "${url}", "<\xc3\xa4@g>", NULL, "mid:%C3%A4@g"},
    {"the webmail's", "${url}", "<a/b@c>", gmail,
	"https://mail/?authuser=ann@x.y#x%3Aa%2Fb@c"},
    {"the id as it is", "id=${message-id}!", "<a/b@c>", NULL, "id=a/b@c!"},
    {"blanks around it", "${url}", " <a@b> ", NULL, "mid:a@b"},
    {"all others", "${account}|${email}|${mailbox}|${uid}", "", NULL,
	"work|ann@x.y|IN BOX|12"},
    {"none", "plain", "", NULL, "plain"},
    {"a lone dollar", "a$b{c}", "", NULL, "a$b{c}"},
    {"no Message-ID", "${url}", "", NULL, NULL},
    {"no Message-ID, but not asked for", "${mailbox}", "", NULL, "IN BOX"},
    {"a Message-ID without brackets", "${url}", "a@b", NULL, NULL},
    {"an empty one", "${message-id}", "<>", NULL, NULL},
    {"like an option", "${message-id}", "<--delete@b>", NULL, NULL},
    {"an option's value", "--id=${message-id}", "<--delete@b>", NULL,
	"--id=--delete@b"},
    {"no shell", "${message-id}", "<;rm -rf`x`$(y)@b>", NULL,
	";rm -rf`x`$(y)@b"},
};

static void
test_expand(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		const struct open_message message = {
		    .message_id = cases[i].message_id,
		    .account = "work",
		    .email = "ann@x.y",
		    .mailbox = "IN BOX",
		    .uid = 12,
		    .webmail = cases[i].webmail,
		};
		struct error error = ERROR_INIT;
		STRV_AUTO command = STRV_INIT, argv = STRV_INIT;
		bool ok;

		strv_add(&command, "program");
		strv_add(&command, cases[i].argument);
		ok = open_expand(&command, &message, &argv, &error);
		if (ok == (cases[i].expanded != NULL) &&
		    (ok ? argv.len == 2 &&
				strcmp(argv.items[1], cases[i].expanded) == 0
			: error.text[0] != '\0'))
			continue;
		print_error("case: %s: %s\n", cases[i].name,
		    ok ? argv.items[1] : error.text);
		failed++;
	}
	assert_int_equal(failed, 0);
}

static void
test_check(void **state)
{
	struct span name = SPAN_EMPTY;

	(void)state;
	assert_true(open_check("--x=${url}${message-id}${uid}$", &name));
	assert_false(open_check("${url} ${messageid}", &name));
	assert_true(span_is(name, "messageid"));
	assert_string_equal(open_nearest(name), "message-id");
	assert_false(open_check("${url", &name));
	assert_int_equal(name.len, 0);
}

/* What a browser gets: no file, no blanks, and not what is made of it. */
static void
test_webmail(void **state)
{
	static const struct {
		const char *form;
		bool is_webmail, is_known, names_place;
	} forms[] = {
	    {"https://m/?_uid=${uid}&_mbox=${mailbox}", true, true, true},
	    {"https://m/#x%3A${message-id}", true, true, false},
	    {"HTTP://localhost/${email}/${account}", true, true, false},
	    {"https://m/${url}", true, false, false},
	    {"https://m/${user}", true, false, false},
	    {"https://m/${uid", true, false, false},
	    {"https://m/a b", false, true, false},
	    {"https://m/\xc3\xa4", false, true, false},
	    {"file:///etc/passwd", false, true, false},
	    {"m/", false, true, false},
	    {"https://", false, true, false},
	    {"https:///m", false, true, false},
	};
	struct span name;

	(void)state;
	for (size_t i = 0; i < LENGTH(forms); i++) {
		const char *form = forms[i].form;

		if (open_is_webmail(form) == forms[i].is_webmail &&
		    open_check_webmail(form, &name) == forms[i].is_known &&
		    open_names_place(form) == forms[i].names_place)
			continue;
		print_error("%s\n", form);
		fail();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_expand),
	    cmocka_unit_test(test_check),
	    cmocka_unit_test(test_webmail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
