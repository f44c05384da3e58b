/*
 * test-list: an intrusive ring.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/base/list.h"

struct item {
	char name;
	struct list_link link;
};

static void
check_list(struct list_link *head, const char *expected)
{
	BUF_AUTO names = BUF_INIT;

	LIST_EACH(link, head)
	buf_add_char(&names, LIST_ITEM(link, struct item, link)->name);
	assert_string_equal(buf_str(&names), expected);
	assert_true(list_is_empty(head) == (*expected == '\0'));
}

static void
test_add_and_remove(void **state)
{
	struct item a = {'a', {0}}, b = {'b', {0}}, c = {'c', {0}};
	struct list_link head, other; /* struct item::link */

	(void)state;
	list_init(&head);
	list_init(&other);
	check_list(&head, "");
	list_add(&head, &a.link);
	list_add(&head, &b.link);
	list_add(&head, &c.link);
	check_list(&head, "abc");
	list_remove(&b.link);
	list_remove(&b.link);
	check_list(&head, "ac");
	/* Its old neighbours are no longer its business. */
	list_remove(&a.link);
	list_remove(&b.link);
	list_remove(&c.link);
	check_list(&head, "");
	list_add(&head, &a.link);
	list_add(&head, &c.link);
	check_list(&head, "ac");
	list_add(&other, &b.link);
	list_remove(&a.link);
	list_add(&other, &a.link);
	check_list(&head, "c");
	check_list(&other, "ba");
	list_remove(&c.link);
	check_list(&head, "");
	assert_ptr_equal(list_take_first(&other), &b.link);
	check_list(&other, "a");
	list_add(&other, &b.link);
	check_list(&other, "ab");
	assert_ptr_equal(list_take_first(&other), &a.link);
	assert_ptr_equal(list_take_first(&other), &b.link);
	check_list(&other, "");
	list_remove(&b.link);
	assert_true(list_is_empty(&other));
}

static void
test_remove_while_walking(void **state)
{
	struct item items[5];
	struct list_link head; /* struct item::link */

	(void)state;
	list_init(&head);
	for (size_t i = 0; i < 5; i++) {
		items[i].name = (char)('a' + i);
		list_add(&head, &items[i].link);
	}
	LIST_EACH(link, &head)
	{
		if (LIST_ITEM(link, struct item, link)->name % 2 != 0)
			list_remove(link);
	}
	check_list(&head, "bd");
	LIST_EACH(link, &head)
	list_remove(link);
	check_list(&head, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_add_and_remove),
	    cmocka_unit_test(test_remove_while_walking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
