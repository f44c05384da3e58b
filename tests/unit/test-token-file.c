/*
 * wiring/token_file: what is kept of a sign-in: whole or not at all, for one
 * user, and renewed by one process at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/wiring/token_file.h"

#define DOCUMENT                                                               \
	"{\"version\":1,\"client_id\":\"id\",\"token_endpoint\":"              \
	"\"https://a.example/t\",\"scope\":\"s\",\"user\":\"ann\","            \
	"\"obtained\":100,\"expires\":3700,\"access_token\":\"a\","            \
	"\"refresh_token\":\"r\"}"

struct place {
	char folder[64];
	char *path;
};

static const struct config_oauth2 sign_in = {
    .client_id = (char *)"id",
    .scope = (char *)"s",
    .token_url = (char *)"https://a.example/t",
};

/* It borrows the sign-in. */
static struct config_account
account(struct config_oauth2 *oauth2)
{
	*oauth2 = sign_in;
	return (struct config_account){
	    .name = (char *)"home",
	    .user = (char *)"ann",
	    .oauth2 = oauth2,
	};
}

static int
setup(void **state)
{
	struct place *place = NEW(struct place);

	strcpy(place->folder, "/tmp/belfry-token-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->path = token_file_path(place->folder, "home");
	*state = place;
	return 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;
	STR_AUTO command = xasprintf("rm -rf %s", place->folder);
	int status = system(command);

	free(place->path);
	free(place);
	return status;
}

/* What lies in the folder of the tokens. */
static size_t
count_files(const struct place *place)
{
	STR_AUTO path = xasprintf("%s/oauth2", place->folder);
	DIR *folder = opendir(path);
	size_t count = 0;

	assert_non_null(folder);
	for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
		if (entry->d_name[0] != '.')
			count++;
	closedir(folder);
	return count;
}

static void
write_document(const struct place *place)
{
	struct token_draft draft = {.fd = -1};
	int lock = token_file_lock(place->path, NULL);

	assert_true(lock >= 0);
	assert_true(token_draft_begin(&draft, place->path, NULL));
	assert_true(token_draft_commit(&draft, SPAN(DOCUMENT), NULL));
	token_draft_done(&draft);
	close(lock);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
test_written_and_read(void **state)
{
	struct place *place = *state;
	struct config_oauth2 oauth2;
	struct config_account a = account(&oauth2);
	struct oauth2_token token = OAUTH2_TOKEN_INIT;
	struct token_mark mark = {.number = 0};
	STR_AUTO folder = xasprintf("%s/oauth2", place->folder);
	struct error error = ERROR_INIT;

	assert_false(token_file_has_changed(place->path, &mark));
	assert_false(token_file_read(place->path, &a, &token, &error));
	assert_int_equal(error.fault, FAULT_AUTH);
	write_document(place);
	assert_int_equal(mode_of(folder), 0700);
	assert_int_equal(mode_of(place->path), 0600);
	assert_int_equal(count_files(place), 2); /* and the lock */
	assert_true(token_file_has_changed(place->path, &mark));
	assert_false(token_file_has_changed(place->path, &mark));
	assert_true(token_file_read(place->path, &a, &token, NULL));
	assert_true(span_is(secret_span(&token.refresh), "r"));
	write_document(place);
	assert_true(token_file_has_changed(place->path, &mark));
	oauth2_token_done(&token);
	assert_true(token_file_remove(place->path, NULL));
	assert_false(token_file_remove(place->path, NULL));
}

static void
test_another_account(void **state)
{
	struct place *place = *state;
	struct config_oauth2 oauth2;
	struct config_account a = account(&oauth2);
	struct oauth2_token token = OAUTH2_TOKEN_INIT;
	struct error error = ERROR_INIT;

	write_document(place);
	oauth2.token_url = (char *)"https://evil.example/t";
	assert_false(token_file_read(place->path, &a, &token, &error));
	assert_int_equal(error.fault, FAULT_AUTH);
	assert_int_equal(token.refresh.len, 0);
}

/* Others could have read it, or put it there. */
static void
test_not_for_others(void **state)
{
	struct place *place = *state;
	struct config_oauth2 oauth2;
	struct config_account a = account(&oauth2);
	struct oauth2_token token = OAUTH2_TOKEN_INIT;
	struct error error = ERROR_INIT;
	STR_AUTO other = xasprintf("%s.other", place->path);
	STR_AUTO folder = xasprintf("%s/oauth2", place->folder);

	write_document(place);
	chmod(place->path, 0640);
	assert_false(token_file_read(place->path, &a, &token, &error));
	assert_int_equal(error.fault, FAULT_LOCAL);
	chmod(place->path, 0600);
	assert_int_equal(rename(place->path, other), 0);
	assert_int_equal(symlink(other, place->path), 0);
	assert_false(token_file_read(place->path, &a, &token, &error));
	assert_int_equal(error.fault, FAULT_LOCAL);
	chmod(folder, 0770);
	assert_int_equal(token_file_lock(place->path, &error), -1);
	assert_int_equal(error.fault, FAULT_LOCAL);
	chmod(folder, 0700);
}

static void
test_one_at_a_time(void **state)
{
	struct place *place = *state;
	struct error error = ERROR_INIT;
	int lock = token_file_lock(place->path, NULL);

	assert_true(lock >= 0);
	assert_int_equal(token_file_lock(place->path, &error), -1);
	assert_int_equal(error.fault, FAULT_RETRY);
	close(lock);
	lock = token_file_lock(place->path, NULL);
	assert_true(lock >= 0);
	close(lock);
}

/* A process that dies leaves the old token, and no litter for ever. */
static void
test_died_in_between(void **state)
{
	struct place *place = *state;
	struct config_oauth2 oauth2;
	struct config_account a = account(&oauth2);
	struct oauth2_token token = OAUTH2_TOKEN_INIT;
	struct token_draft dead = {.fd = -1};

	write_document(place);
	assert_true(token_draft_begin(&dead, place->path, NULL));
	assert_int_equal(write(dead.fd, "{\"acc", 6), 6);
	close(dead.fd); /* as by a kill */
	free(dead.temporary);
	free(dead.path);
	assert_int_equal(count_files(place), 3);
	assert_true(token_file_read(place->path, &a, &token, NULL));
	assert_true(span_is(secret_span(&token.refresh), "r"));
	oauth2_token_done(&token);
	write_document(place);
	assert_int_equal(count_files(place), 2);
}

/* A renewal that is under way does not bring back what is forgotten. */
static void
test_forgotten_in_between(void **state)
{
	struct place *place = *state;
	const struct timespec moment = {0, 300000000L};
	struct token_draft draft = {.fd = -1};
	int status;

	write_document(place);
	int lock = token_file_lock(place->path, NULL);
	assert_true(lock >= 0);
	pid_t child = fork();
	if (child == 0) {
		nanosleep(&moment, NULL);
		_exit(!token_draft_begin(&draft, place->path, NULL) ||
		      !token_draft_commit(&draft, SPAN(DOCUMENT), NULL));
	}
	close(lock); /* the child has it */
	assert_true(token_file_remove(place->path, NULL));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(count_files(place), 1); /* the lock */
}

/* Accounts may have any name. */
static void
test_names(void **state)
{
	static const struct {
		const char *name, *path;
	} cases[] = {
	    {"home", "/s/oauth2/home.json"},
	    {"ann@example.org", "/s/oauth2/ann@example.org.json"},
	    {"a/b", "/s/oauth2/a%2Fb.json"},
	    {"../../.ssh/x", "/s/oauth2/..%2F..%2F.ssh%2Fx.json"},
	    {"a%2Fb", "/s/oauth2/a%252Fb.json"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		STR_AUTO path = token_file_path("/s", cases[i].name);
		assert_string_equal(path, cases[i].path);
	}
}

/* The token of [account home.json.x] is no litter of [account home]. */
static void
test_name_like_litter(void **state)
{
	struct place *place = *state;
	struct place other;

	memcpy(other.folder, place->folder, sizeof(other.folder));
	other.path = token_file_path(place->folder, "home.json.x");
	write_document(&other);
	write_document(place);
	assert_int_equal(access(other.path, F_OK), 0);
	free(other.path);
}

/* Root gives the files that it makes to the daemon's user, and not those that
 * he put there. */
static void
test_root_gives_nothing_else(void **state)
{
	struct place *place = *state;
	STR_AUTO lock = xasprintf("%s.lock", place->path);
	STR_AUTO victim = xasprintf("%s/victim", place->folder);
	struct error error = ERROR_INIT;
	struct stat st;

	if (geteuid() != 0 || chown(place->folder, 65534, 65534) != 0)
		skip();
	write_document(place);
	assert_int_equal(stat(lock, &st), 0);
	if (st.st_uid != 65534)
		skip(); /* a fakeroot */
	assert_int_equal(unlink(lock), 0);
	close(open(victim, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(link(victim, lock), 0);
	assert_int_equal(token_file_lock(place->path, &error), -1);
	assert_int_equal(stat(victim, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		test_written_and_read, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_another_account, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_not_for_others, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_one_at_a_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_died_in_between, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_forgotten_in_between, setup, teardown),
	    cmocka_unit_test(test_names),
	    cmocka_unit_test_setup_teardown(
		test_name_like_litter, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_root_gives_nothing_else, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
