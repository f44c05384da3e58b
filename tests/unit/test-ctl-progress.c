/* How far a run came, as a line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/control/ctl_progress.h"

static const struct {
	const char *name, *line;
	double seconds;
	int64_t messages;
	double share;
	size_t width;
	const char *text;
} cases[] = {
    {"by messages",
	"{\"looked\": 1350, \"total\": 3000, \"matched\": 12, \"done\": 7}", 1,
	1350, 0.45, 200, "applying  45% 1350 of 3000, 12 matched, 7 done"},
    {"with speed and what is left",
	"{\"looked\": 1000, \"total\": 4000, \"failed\": 2}", 10, 1000, 0.25,
	200,
	"applying  25% 1000 of 4000, 0 matched, 0 done, 2 failed, 100/s, "
	"30 s left"},
    {"joined in the middle", "{\"looked\": 3000, \"total\": 4000}", 10, 500,
	0.125, 200,
	"applying  75% 3000 of 4000, 0 matched, 0 done, 50/s, 20 s left"},
    {"by UIDs, where nobody knows how many",
	"{\"looked\": 5, \"first_uid\": 1, \"next_uid\": 501, "
	"\"end_uid\": 1001}",
	1, 5, 0.5, 200, "applying  50% 5, 0 matched, 0 done"},
    {"all looked at",
	"{\"looked\": 9, \"total\": 10, \"next_uid\": 8, \"end_uid\": 8}", 9, 9,
	1, 200, "applying 100% 9 of 10, 0 matched, 0 done, 1/s"},
    {"nothing known", "{}", 9, 0, 0, 200, "applying 0, 0 matched, 0 done"},
    {"more than there should be", "{\"looked\": 12, \"total\": 10}", 1, 12, 1,
	200, "applying 100% 12, 0 matched, 0 done"},
    {"a server that is away",
	"{\"phase\": \"connecting\", \"trouble\": \"no\\u001broute\"}", 9, 0, 0,
	200, "applying waits for the server: noroute"},
    {"cut", "{\"looked\": 1350, \"total\": 3000}", 1, 0, 0, 20,
	"applying  45% 1350 o"},
};

static void
test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = ERROR_INIT;
		struct json *line =
		    json_parse(span_from_str(cases[i].line), &error);
		const struct ctl_speed speed = {
		    cases[i].seconds, cases[i].messages, cases[i].share};
		BUF_AUTO out = BUF_INIT;
		if (line == NULL)
			fail_msg("%s: %s", cases[i].name, error.text);
		ctl_progress_format(
		    &out, "applying", line, speed, cases[i].width, false);
		if (strcmp(buf_str(&out), cases[i].text) != 0) {
			print_error(
			    "%s: \"%s\"\n", cases[i].name, buf_str(&out));
			fail();
		}
		json_free(&line);
	}
}

/* The bar takes what is left, and never more than the width. */
static void
test_bar(void **state)
{
	struct json *line =
	    json_parse(SPAN("{\"looked\": 500, \"total\": 1000}"), NULL);

	(void)state;
	for (size_t width = 20; width < 200; width++) {
		BUF_AUTO out = BUF_INIT;
		ctl_progress_format(&out, "applying", line,
		    (struct ctl_speed){1, 0, 0}, width, true);
		assert_true(out.len <= width);
		if (width >= 90)
			assert_non_null(strstr(
			    buf_str(&out), "[###############...............]"));
	}
	json_free(&line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_lines),
	    cmocka_unit_test(test_bar),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
