/*
 * belfryd: arguments, signals, and the order in which things begin and end.
 */
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/base/xalloc.h"
#include "daemon/config/paths.h"
#include "daemon/loop/log.h"
#include "daemon/loop/sd_notify.h"
#include "daemon/wiring/belfry.h"
#include "daemon/wiring/deeds.h"
#include "daemon/wiring/gate.h"
#include "daemon/wiring/token_renew.h"

static const char usage[] =
    "usage: belfryd [-c FILE] [--dry-run] [-v]\n"
    "\n"
    "Watches the mailboxes of the accounts in the configuration, judges each\n"
    "message as it arrives by the rules there, and acts. Runs in the\n"
    "foreground and logs to standard error.\n"
    "\n"
    "  -c, --config FILE  the configuration, instead of the first of\n"
    "                     $XDG_CONFIG_HOME/belfry/belfry.conf,\n"
    "                     ~/.config/belfry/belfry.conf,\n"
    "                     /etc/belfry/belfry.conf\n"
    "      --dry-run      judge and report, change nothing anywhere\n"
    "  -v, --verbose      log everything\n"
    "      --version      print the version and exit\n"
    "  -h, --help         print this and exit\n"
    "\n"
    "belfryctl(1) talks to the running daemon. SIGHUP reloads the\n"
    "configuration, SIGTERM ends the daemon.\n";

/* The notifiers of this build (configure --without-libnotify, -libcurl). */
static const char notifiers[] = "notifiers:"
#ifdef HAVE_LIBNOTIFY
				" desktop"
#endif
				" exec program journal"
#ifdef HAVE_LIBCURL
				" webhook"
#endif
    ;

/* So far back what limits count is read: longer than any window of theirs. */
#define HITS_KEPT_SEC (7 * 24 * 60 * 60)

struct options {
	const char *config;
	bool dry_run, verbose;
};

/* Returns -1 to go on, else the exit code. */
static int
read_options(int argc, char **argv, struct options *options)
{
	enum {
		OPTION_DRY_RUN = 256,
		OPTION_VERSION
	};
	static const struct option longs[] = {
	    {"config", required_argument, NULL, 'c'},
	    {"dry-run", no_argument, NULL, OPTION_DRY_RUN},
	    {"verbose", no_argument, NULL, 'v'},
	    {"version", no_argument, NULL, OPTION_VERSION},
	    {"help", no_argument, NULL, 'h'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:vh", longs, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'v':
			options->verbose = true;
			break;
		case OPTION_DRY_RUN:
			options->dry_run = true;
			break;
		case OPTION_VERSION:
			printf("belfryd %s\n%s\n", PACKAGE_VERSION, notifiers);
			return EX_OK;
		case 'h':
			fputs(usage, stdout);
			return EX_OK;
		default:
			fputs(usage, stderr);
			return EX_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(
		    stderr, "belfryd: unexpected argument: %s\n", argv[optind]);
		return EX_USAGE;
	}
	return -1;
}

static struct config *
load_config(const char *path)
{
	struct config_report report = {0};
	BUF_AUTO problems = BUF_INIT;
	struct config *config = config_load(path, &report);

	if (config != NULL)
		config_run_tests(config, loop_now_unix(), &report);
	config_print_problems(&report, &problems);
	fputs(buf_str(&problems), stderr);
	bool bad = config_report_has_errors(&report);
	config_report_done(&report);
	if (bad)
		config_free(&config);
	if (config != NULL)
		config_forget_texts(config);
	return config;
}

/* ---- life ---- */

static bool
seed_limit(void *ctx, const char *rule, int64_t when_unix)
{
	limits_note(ctx, rule, when_unix);
	return true;
}

static void
load_keeping(struct belfry *belfry)
{
	STR_AUTO text = NULL;

	store_get_fact(belfry->store, "", KEEPING_FACT, &text, NULL);
	keeping_init(
	    &belfry->keeping, span_from_str(text), loop_now_unix(), loop_now());
}

/* What is old enough is forgotten. */
static void
prune(struct belfry *belfry, usec_t now)
{
	int64_t time = keeping_time(&belfry->keeping, loop_now_unix(), now);
	struct store_batch *batch = store_batch_new();
	BUF_AUTO text = BUF_INIT;

	keeping_save(&belfry->keeping, &text);
	store_batch_set_fact(batch, "", KEEPING_FACT, buf_str(&text));
	journal_note(belfry->journal, batch);
	queue_tidy(belfry, time);
	journal_prune(belfry->journal,
	    time - (int64_t)(belfry->config->daemon.history / USEC_SEC));
	unused_begin(belfry);
}

static void
tidy(void *ctx)
{
	struct belfry *belfry = ctx;
	usec_t now = loop_now();

	accounts_set_clock(belfry);
	notify_look_at_clock(belfry);
	list_files_refresh(belfry);
	apply_tidy(belfry);
	certificates_tidy(belfry);
	not_started_tidy(belfry);
	queue_measure(belfry);
	pulses_tick(belfry);
	if (now >= belfry->next_trim) {
		usec_t age = usec_since(belfry->started, now);
		belfry->next_trim = usec_add(now, usec_min(age, TRIM_USEC));
		malloc_trim(0);
	}
	if (now >= belfry->next_prune) {
		belfry->next_prune = usec_add(now, PRUNE_USEC);
		prune(belfry, now);
	}
	unused_tidy(belfry);
	loop_timer_set(belfry->tidy, usec_add(now, TIDY_USEC));
}

static void
end_loop(void *ctx)
{
	struct belfry *belfry = ctx;
	usec_t now = loop_now();

	if (!token_renew_any_asking() || now >= belfry->leave_by) {
		loop_quit(belfry->loop);
		return;
	}
	if (!belfry->waits_for_token)
		report_note(belfry, false, "stopping", NULL,
		    "waiting %u s at most for a provider's answer: the token "
		    "in it may be the only one",
		    (unsigned)(usec_since(now, belfry->leave_by) / USEC_SEC));
	belfry->waits_for_token = true;
	loop_timer_set(belfry->goodbye, usec_add(now, GOODBYE_LOOK_USEC));
}

/* Says goodbye to the servers, but not for long. A second signal does not
 * wait. */
static void
leave(void *ctx)
{
	struct belfry *belfry = ctx;

	if (belfry->leaving) {
		loop_quit(belfry->loop);
		return;
	}
	belfry->leaving = true;
	sd_notify_stopping();
	report_note(belfry, false, "stopping", NULL, "saying goodbye");
	LIST_EACH(pos, &belfry->accounts)
	accounts_stop(LIST_ITEM(pos, struct running_account, link));
	belfry->leave_by = usec_add(loop_now(), GOODBYE_TOKEN_USEC);
	belfry->goodbye = loop_timer_new(belfry->loop, end_loop, belfry);
	loop_timer_set(belfry->goodbye, usec_add(loop_now(), GOODBYE_USEC));
}

static void
hang_up(void *ctx)
{
	BUF_AUTO problems = BUF_INIT;

	sd_notify_reloading();
	if (!reload_config(ctx, &problems))
		fputs(buf_str(&problems), stderr);
	sd_notify_ready();
}

static void
start_accounts(struct belfry *belfry)
{
	for (size_t i = 0; i < belfry->config->account_count; i++)
		if (belfry->config->accounts[i].enabled)
			accounts_start(belfry, &belfry->config->accounts[i]);
}

static void
run(struct belfry *belfry)
{
	struct loop_signal *term =
	    loop_signal_new(belfry->loop, SIGTERM, leave, belfry);
	struct loop_signal *interrupt =
	    loop_signal_new(belfry->loop, SIGINT, leave, belfry);
	struct loop_signal *hup =
	    loop_signal_new(belfry->loop, SIGHUP, hang_up, belfry);

	belfry->tidy = loop_timer_new(belfry->loop, tidy, belfry);
	loop_timer_set(belfry->tidy, usec_add(loop_now(), TIDY_USEC));
	start_accounts(belfry);
	alive_start(belfry);
	report_note(belfry, false, "started", NULL,
	    "version %s, accounts: %zu, rules: %zu%s", PACKAGE_VERSION,
	    belfry->config->account_count, rules_count(belfry->config->rules),
	    belfry->dry_run ? ", dry run: nothing is changed" : "");
	reload_tell_status(belfry);
	sd_notify_ready();
	loop_run(belfry->loop);
	loop_timer_free(&belfry->tidy);
	loop_timer_free(&belfry->goodbye);
	loop_signal_free(&term);
	loop_signal_free(&interrupt);
	loop_signal_free(&hup);
}

static void
close_all(struct belfry *belfry)
{
	LIST_EACH(pos, &belfry->accounts)
	{
		struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		accounts_free(&account);
	}
	not_started_clear(belfry);
	report_free(belfry);
	alive_free(&belfry->alive);
	gate_free(&belfry->gate);
	exec_free_all(belfry);
	deeds_free_all(belfry);
	opens_free_all(belfry);
	notify_free(&belfry->notify);
	control_free(&belfry->control);
	if (belfry->store != NULL)
		rule_stats_flush(belfry);
	rules_meter_free(&belfry->meter);
	list_files_free(&belfry->list_files);
	journal_free(&belfry->journal);
	told_done(&belfry->told);
	store_close(&belfry->store);
	belfry->config = NULL;
	reload_release(belfry);
	limits_free(&belfry->limits);
	loop_free(&belfry->loop);
	free(belfry->config_path);
	free(belfry->state_directory);
	free(belfry->unused_after);
	free(belfry->control_path);
}

/* The exit code; EX_OK: everything is open. */
static int
open_all(struct belfry *belfry)
{
	struct error error = ERROR_INIT;

	report_start(belfry);
	belfry->state_directory = config_state_directory(belfry->config);
	belfry->control_path = config_control_path(belfry->config);
	belfry->store = store_open_sqlite(belfry->state_directory, &error);
	if (belfry->store == NULL) {
		fprintf(stderr, "belfryd: %s\n", error.text);
		return error.fault == FAULT_RETRY ? EX_TEMPFAIL : EX_CANTCREAT;
	}
	if (store_is_made(belfry->store))
		log_event(LOG_LEVEL_NOTICE, "journal", "path",
		    belfry->state_directory, "what",
		    "there was none: what mailboxes hold now is not acted on,"
		    " only what arrives from now on",
		    NULL);
	belfry->journal = journal_new(belfry->loop, belfry->store);
	journal_on_health(belfry->journal, report_journal, belfry);
	belfry->limits = limits_new();
	load_keeping(belfry);
	store_each_hit(belfry->store,
	    keeping_time(&belfry->keeping, loop_now_unix(), loop_now()) -
		HITS_KEPT_SEC,
	    seed_limit, belfry->limits, NULL);
	rule_stats_start(belfry);
	queue_measure(belfry);
	list_files_reset(belfry);
	belfry->gate = gate_new(belfry->loop);
	if (!control_start(belfry, &error) || !notify_start(belfry, &error)) {
		fprintf(stderr, "belfryd: %s\n", error.text);
		return EX_UNAVAILABLE;
	}
	return EX_OK;
}

/* No core dump and no other process of this user may see the secrets. */
static void
protect_secrets(void)
{
	const struct rlimit none = {0, 0};

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
	umask(077);
	signal(SIGPIPE, SIG_IGN);
}

int
main(int argc, char **argv)
{
	struct options options = {0};
	struct belfry belfry = {.started = loop_now()};
	struct error error = ERROR_INIT;
	int code = read_options(argc, argv, &options);

	if (code >= 0)
		return code;
	protect_secrets();
	STR_AUTO found = config_find_path(options.config, &error);
	/* A reload must find it wherever the daemon stands then. */
	belfry.config_path = found != NULL ? realpath(found, NULL) : NULL;
	if (found != NULL && belfry.config_path == NULL)
		belfry.config_path = xstrdup(found);
	if (belfry.config_path == NULL) {
		fprintf(stderr, "belfryd: %s\n", error.text);
		return EX_CONFIG;
	}
	list_init(&belfry.accounts);
	list_init(&belfry.not_started);
	list_init(&belfry.execs);
	list_init(&belfry.prepared_execs);
	list_init(&belfry.deeds);
	list_init(&belfry.opens);
	list_init(&belfry.questions);
	list_init(&belfry.probings);
	list_init(&belfry.followers);
	list_init(&belfry.held);
	belfry.config = load_config(belfry.config_path);
	if (belfry.config == NULL) {
		free(belfry.config_path);
		return EX_CONFIG;
	}
	belfry.dry_run = options.dry_run;
	belfry.verbose = options.verbose;
	log_set_level(options.verbose
			  ? LOG_LEVEL_DEBUG
			  : (enum log_level)belfry.config->daemon.log_level);
	reload_hold(&belfry, belfry.config);
	belfry.loop = loop_new();
	code = open_all(&belfry);
	if (code == EX_OK)
		run(&belfry);
	close_all(&belfry);
	return code;
}
