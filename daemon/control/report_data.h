/*
 * report_data: what the history says, counted for `belfryctl report`.
 *
 * The time is cut into slots of an hour or a day, which begin as the person's
 * clock says. Messages and their actions come as the JSON of `history`, in any
 * order, the accounts' hours as that of the daemon's `report`.
 */
#ifndef BELFRY_CONTROL_REPORT_DATA_H
#define BELFRY_CONTROL_REPORT_DATA_H

#include "daemon/control/json.h"

#define REPORT_SLOTS_MAX 400
/* Rows of rules; those after them count as one, "(others)". */
#define REPORT_RULES_MAX 60
/* Up to so long a time the slots are hours. */
#define REPORT_HOURLY_MAX (7 * 24)

/* From the server's having a message to its having rung: up to so many
 * seconds, and the last one without an end. */
#define REPORT_DELAYS 9
extern const int64_t report_delays[REPORT_DELAYS];

struct report_slot {
	int64_t begin;
	unsigned mail, actions, failed;
};

struct report_rule {
	char *name; /* owned */
	unsigned messages;
	unsigned done, failed, open, skipped; /* actions */
	/* By slot: messages that it matched, or that had the default
	 * notification; and actions that failed. */
	unsigned by_slot[REPORT_SLOTS_MAX], failed_by_slot[REPORT_SLOTS_MAX];
};

/* One hour of one account. */
struct report_hour {
	int64_t begin;
	int64_t connects, losses, watched, total;
};

struct report_account {
	char *name; /* owned */
	unsigned messages;
	struct report_hour *hours; /* owned, in order */
	size_t hour_count;
};

struct report {
	int64_t from, to; /* [from, to) */
	bool is_hourly;
	struct report_slot slots[REPORT_SLOTS_MAX];
	size_t slot_count;
	struct report_rule *rules; /* owned; by falling messages once sorted */
	size_t rule_count;
	struct report_account *accounts; /* owned */
	size_t account_count;
	unsigned delays[REPORT_DELAYS];
	unsigned messages, actions, failed, notifications;
};

/* Cuts the time; what is longer than the slots reach begins later. */
void report_init(struct report *report, int64_t from, int64_t to);
void report_done(struct report *report);
void report_add_message(struct report *report, const struct json *message);
void report_add_account(struct report *report, const struct json *account);
/* After the last message. */
void report_sort(struct report *report);

#endif
