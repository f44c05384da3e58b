/*
 * test-buf: bytes that grow; strings, vectors and secrets built on them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/secret.h"
#include "daemon/base/strv.h"
#include "daemon/base/xalloc.h"

static void
test_unused(void **state)
{
	struct buf buf = BUF_INIT;
	char *str;

	(void)state;
	assert_string_equal(buf_str(&buf), "");
	assert_int_equal(buf_span(&buf).len, 0);
	buf_consume(&buf, 0);
	buf_truncate(&buf, 0);
	buf_clear(&buf);
	buf_wipe(&buf);
	buf_done(&buf);
	str = buf_take_str(&buf);
	assert_string_equal(str, "");
	free(str);
}

static void
test_add(void **state)
{
	BUF_AUTO buf = BUF_INIT;

	(void)state;
	buf_add(&buf, NULL, 0);
	assert_string_equal(buf_str(&buf), "");
	buf_add(&buf, "a\0b", 3);
	buf_add_span(&buf, SPAN("cd"));
	buf_add_span(&buf, SPAN_EMPTY);
	buf_add_str(&buf, "ef");
	buf_add_str(&buf, NULL);
	buf_add_char(&buf, 'g');
	buf_addf(&buf, "%d-%s", 42, "h");
	assert_true(span_equal(buf_span(&buf), SPAN("a\0bcdefg42-h")));
	assert_int_equal(buf_str(&buf)[buf.len], '\0');
}

/* Every length around the powers of two, with the terminator in its place. */
static void
test_grow(void **state)
{
	BUF_AUTO buf = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < 200000; i++) {
		buf_add_char(&buf, (char)('a' + i % 26));
		assert_true(buf.len == i + 1 && buf.cap > buf.len &&
			    buf.data[buf.len] == '\0');
	}
	for (size_t i = 0; i < buf.len; i++)
		assert_true(buf.data[i] == (char)('a' + i % 26));
}

static void
test_format_longer_than_capacity(void **state)
{
	BUF_AUTO buf = BUF_INIT;

	(void)state;
	for (int width = 0; width < 300; width++) {
		buf_truncate(&buf, 0);
		buf_addf(&buf, "%*s", width, "");
		assert_int_equal(buf.len, width);
		assert_int_equal(strlen(buf_str(&buf)), width);
	}
}

/* The room that is left is used to its last byte. */
static void
test_format_up_to_capacity(void **state)
{
	(void)state;
	for (int width = 0; width < 40; width++) {
		BUF_AUTO buf = BUF_INIT;
		buf_add_str(&buf, "12345678");
		size_t cap = buf.cap;
		buf_addf(&buf, "%*s", width, "");
		assert_int_equal(buf.len, 8 + (size_t)width);
		assert_int_equal(strlen(buf_str(&buf)), buf.len);
		assert_memory_equal(buf.data, "12345678", 8);
		assert_int_equal(buf.cap == cap, buf.len < cap);
	}
}

static void
test_number(void **state)
{
	BUF_AUTO buf = BUF_INIT;

	(void)state;
	buf_add_number(&buf, 0);
	buf_add_char(&buf, ' ');
	buf_add_number(&buf, 1090);
	buf_add_char(&buf, ' ');
	buf_add_number(&buf, UINT64_MAX);
	assert_string_equal(buf_str(&buf), "0 1090 18446744073709551615");
}

static void
test_consume_and_truncate(void **state)
{
	BUF_AUTO buf = BUF_INIT;

	(void)state;
	buf_add_str(&buf, "abcdef");
	buf_consume(&buf, 2);
	assert_string_equal(buf_str(&buf), "cdef");
	buf_truncate(&buf, 3);
	assert_string_equal(buf_str(&buf), "cde");
	buf_consume(&buf, 3);
	assert_string_equal(buf_str(&buf), "");
	buf_add_str(&buf, "again");
	assert_string_equal(buf_str(&buf), "again");
}

static void
test_clear_gives_large_memory_back(void **state)
{
	BUF_AUTO buf = BUF_INIT;

	(void)state;
	buf_add_str(&buf, "small");
	buf_clear(&buf);
	assert_true(buf.len == 0 && buf.cap > 0);
	assert_string_equal(buf_str(&buf), "");
	buf_addf(&buf, "%100000s", "large");
	buf_clear(&buf);
	assert_true(buf.len == 0 && buf.cap == 0);
}

static void
test_take_str(void **state)
{
	BUF_AUTO buf = BUF_INIT;
	char *str;

	(void)state;
	buf_add_str(&buf, "taken");
	str = buf_take_str(&buf);
	assert_string_equal(str, "taken");
	assert_true(buf.data == NULL && buf.len == 0 && buf.cap == 0);
	free(str);
}

static void
test_secret(void **state)
{
	struct secret secret = SECRET_INIT;

	(void)state;
	assert_int_equal(secret_span(&secret).len, 0);
	secret_set(&secret, SPAN("pass\0word"));
	assert_true(span_equal(secret_span(&secret), SPAN("pass\0word")));
	assert_int_equal(secret.bytes[secret.len], '\0');
	/* A part of itself. */
	secret_set(&secret, span_skip(secret_span(&secret), 5));
	assert_true(span_equal(secret_span(&secret), SPAN("word")));
	secret_set(&secret, SPAN_EMPTY);
	assert_null(secret.bytes);
	secret_set(&secret, SPAN("again"));
	secret_wipe(&secret);
	secret_wipe(&secret);
	assert_true(secret.bytes == NULL && secret.len == 0);
}

static void
test_memory_wipe(void **state)
{
	char bytes[] = "secret!";
	static const char zeros[sizeof(bytes)];

	(void)state;
	memory_wipe(NULL, 0);
	memory_wipe(bytes, 3);
	assert_memory_equal(bytes, "\0\0\0ret!", sizeof(bytes));
	memory_wipe(bytes, sizeof(bytes));
	assert_memory_equal(bytes, zeros, sizeof(bytes));
}

static void
test_strv(void **state)
{
	STRV_AUTO v = STRV_INIT, copy = STRV_INIT;
	STR_AUTO joined = NULL;

	(void)state;
	assert_false(strv_has(&v, ""));
	for (int i = 0; i < 20; i++) {
		strv_take(&v, xasprintf("Item%d", i));
		assert_int_equal(v.len, i + 1);
		assert_null(v.items[v.len]);
	}
	assert_true(strv_has(&v, "Item7"));
	assert_false(strv_has(&v, "item7"));
	assert_true(strv_has_nocase(&v, SPAN("iTEM7")));
	assert_false(strv_has_nocase(&v, SPAN("item")));

	strv_add(&copy, "old");
	strv_copy(&copy, &v);
	assert_true(strv_equal(&copy, &v));
	strv_copy(&copy, &copy);
	assert_true(strv_equal(&copy, &v));
	strv_add_span(&copy, SPAN("more"));
	assert_false(strv_equal(&copy, &v));
	strv_done(&copy);
	assert_false(strv_equal(&copy, &v));

	strv_add(&copy, "a");
	strv_add(&copy, "");
	strv_add(&copy, "c");
	joined = strv_join(&copy, ", ");
	assert_string_equal(joined, "a, , c");
}

static void
test_strv_empty(void **state)
{
	STRV_AUTO v = STRV_INIT, copy = STRV_INIT;
	STR_AUTO joined = strv_join(&v, ",");

	(void)state;
	assert_string_equal(joined, "");
	strv_add(&copy, "old");
	strv_copy(&copy, &v);
	assert_true(strv_equal(&copy, &v));
	assert_int_equal(copy.len, 0);
}

static void
test_xalloc(void **state)
{
	STR_AUTO str = xstrdup("text");
	STR_AUTO part = xstrdup_span(SPAN("a\0b"));
	STR_AUTO nothing = xstrdup_span(SPAN_EMPTY);
	STR_AUTO formatted = xasprintf("%s/%d", "x", 7);
	unsigned *numbers = xcalloc(3, sizeof(*numbers));
	void *none = xcalloc(0, 8);

	(void)state;
	assert_null(xstrdup(NULL));
	assert_string_equal(str, "text");
	assert_memory_equal(part, "a\0b", 4);
	assert_string_equal(nothing, "");
	assert_string_equal(formatted, "x/7");
	assert_non_null(none);
	free(none);
	numbers[2] = 9;
	numbers = xreallocarray(numbers, 100, sizeof(*numbers));
	assert_true(numbers[0] == 0 && numbers[2] == 9);
	free(numbers);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_unused),
	    cmocka_unit_test(test_add),
	    cmocka_unit_test(test_grow),
	    cmocka_unit_test(test_format_longer_than_capacity),
	    cmocka_unit_test(test_format_up_to_capacity),
	    cmocka_unit_test(test_number),
	    cmocka_unit_test(test_consume_and_truncate),
	    cmocka_unit_test(test_clear_gives_large_memory_back),
	    cmocka_unit_test(test_take_str),
	    cmocka_unit_test(test_secret),
	    cmocka_unit_test(test_memory_wipe),
	    cmocka_unit_test(test_strv),
	    cmocka_unit_test(test_strv_empty),
	    cmocka_unit_test(test_xalloc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
