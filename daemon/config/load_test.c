/*
 * [test NAME].
 */
#include "daemon/base/xalloc.h"
#include "daemon/config/loader.h"
#include "daemon/config/problem.h"

/* A file has text and attachments of its own. */
static void
check_parts(struct loader *l, const struct document_section *section)
{
	static const char *const keys[] = {"body", "attachment"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct document_thing *thing =
		    loader_find_thing(section, keys[i]);
		if (thing != NULL)
			problem_add(l->problems, false, thing->key_place, NULL,
			    "test %s: `%s` is for tests with `header` lines",
			    section->name, keys[i]);
	}
}

void
load_test(struct loader *l, const struct document_section *section)
{
	struct config *c = l->config;
	struct config_test test = {
	    .name = xstrdup(section->name),
	    .place = section->place,
	};
	const struct document_thing *expect =
	    loader_find_thing(section, "expect");

	loader_fill(l, SECTION_TEST, section, &test);
	if (expect == NULL)
		problem_add(l->problems, false, section->place, NULL,
		    "test %s has no `expect`", section->name);
	else
		test.expect_place = document_place(expect, 0);
	bool has_headers = loader_find_thing(section, "header") != NULL;
	const struct document_thing *message =
	    loader_find_thing(section, "message");
	bool has_message = message != NULL;
	if (has_message)
		test.message_place = document_place(message, 0);
	if (has_headers == has_message)
		problem_add(l->problems, false, section->place, NULL,
		    "test %s needs either `header` lines or a `message`",
		    section->name);
	if (has_message)
		check_parts(l, section);
	c->tests = xreallocarray(c->tests, c->test_count + 1, sizeof(test));
	c->tests[c->test_count++] = test;
}

void
load_check_test_accounts(struct loader *l)
{
	for (size_t i = 0; i < l->config->test_count; i++) {
		const struct config_test *test = &l->config->tests[i];
		if (test->account != NULL &&
		    config_find_account(l->config, test->account) == NULL)
			problem_add(l->problems, false, test->place, NULL,
			    "test %s: there is no account of that name",
			    test->name);
	}
}
