/*
 * rule_keys_private: the setters of the table in rule_keys.c, one a key, and
 * what is checked when all lines are read. A setter puts the value of its
 * line into job->rule; false after an error, which is reported.
 */
#ifndef BELFRY_RULES_RULE_KEYS_PRIVATE_H
#define BELFRY_RULES_RULE_KEYS_PRIVATE_H

#include "rules/rule_job.h"

/* rule_keys_mail.c: what is done to the message in its account. */
bool rule_set_copy(const struct rule_job *job);
bool rule_set_move(const struct rule_job *job);
bool rule_set_label(const struct rule_job *job);
bool rule_set_archive(const struct rule_job *job);
bool rule_set_trash(const struct rule_job *job);
bool rule_set_junk(const struct rule_job *job);
bool rule_set_delete(const struct rule_job *job);
bool rule_set_mark(const struct rule_job *job);
bool rule_set_create(const struct rule_job *job);

/* rule_keys_send.c: forwards and commands. */
bool rule_set_forward(const struct rule_job *job);
bool rule_set_exec(const struct rule_job *job);
bool rule_set_as(const struct rule_job *job);
bool rule_set_unknown(const struct rule_job *job);
bool rule_set_allow(const struct rule_job *job);
bool rule_set_retry(const struct rule_job *job);
bool rule_set_repeat(const struct rule_job *job);
bool rule_set_stdin(const struct rule_job *job);

/* rule_keys_notify.c: notifications, at once and later. */
bool rule_set_notify(const struct rule_job *job);
bool rule_set_quiet(const struct rule_job *job);
bool rule_set_title(const struct rule_job *job);
bool rule_set_text(const struct rule_job *job);
bool rule_set_urgency(const struct rule_job *job);
bool rule_set_sound(const struct rule_job *job);
bool rule_set_icon(const struct rule_job *job);
bool rule_set_via(const struct rule_job *job);
bool rule_set_escalate(const struct rule_job *job);

/* rule_check.c: what is right line by line, but not together. */

/* False if more than one line moves the message away. */
bool rule_check_moves(const struct rule_context *context,
    const struct rule_line *lines, size_t count);

/* Of a rule whose lines are read. Warnings leave it true. */
bool rule_check_together(
    const struct rule *rule, const struct rule_context *context);

/* What the variables of its actions need to know: bits of field->wants. */
unsigned rule_find_wants(const struct rule *rule, const struct slots *slots);

#endif
