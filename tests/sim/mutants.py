#!/usr/bin/env python3
"""mutants.py [--build DIR] [--source DIR] [--jobs N] [NAME...]

Breaks the engine in known ways, one at a time, and wants the simulations to
find each of them within a bounded number of seeds, or the dialogues
(tests/scripts) what no simulation can see; and narrows its limits, which must
break nothing. Needs a build tree in which these are made.

A mutant is an exact text of one source file and what stands there instead;
one that does not apply any more is a failure: mend it together with the code.
Only the broken file is compiled; its object is linked before the library, so
that the sound one is not pulled in.

Ends with 1 when a mutant was not caught, and says how many seeds each took."""

import argparse
import concurrent.futures
import glob
import os
import re
import subprocess
import sys
import tempfile

ACCOUNT = "daemon/account/"
OUTBOX = "daemon/outbox/"

# name: (file, what stands there, what stands there now, program, arguments,
#        seeds that it may take at most; 0: a program that goes through all
#        interruptions of one story, or all dialogues)
MUTANTS = {
    "plan goes on though it was not written": (
        ACCOUNT + "mailbox_journal.c",
        "	if (!ok) {\n		commit_failed(mb, error, now);",
        "	if (!ok && purpose != COMMIT_PLAN) {\n"
        "		commit_failed(mb, error, now);",
        "sim", (), 100),
    "cursor is never written": (
        ACCOUNT + "mailbox_chunk.c",
        "	add_cursor(mb, batch, mb->cursor);",
        "	add_cursor(mb, batch, 1);",
        "sim", (), 20),
    "chunk is judged again": (
        ACCOUNT + "mailbox_chunk.c",
        "	return imap_seqset_has(&mb->above, uid);",
        "	return uid == 0 && imap_seqset_has(&mb->above, uid);",
        "sweep", (), 0),
    "chunk forgets what is below it": (
        ACCOUNT + "mailbox_chunk.c",
        "		if (range.first <= mb->cursor && range.last >= mb->cursor)",
        "		if (range.last >= mb->judged_max)",
        "sweep", (), 0),
    "first chunk ends the window": (
        ACCOUNT + "mailbox_sweep.c",
        "	    mb->plans_written == mb->plans_made)",
        "	    mb->plans_written > 0)",
        "sim", (), 300),
    "intent is skipped": (
        ACCOUNT + "mailbox_intent.c",
        "	if (!has_unwritten(mb)) {",
        "	if (true) {",
        "sim", (), 100),
    "verification is skipped": (
        ACCOUNT + "mailbox_jobs.c",
        "		added->verify = mailbox_is_verified(action.kind);",
        "		added->verify = false;",
        "sim", (), 200),
    "EXISTS is dropped": (
        ACCOUNT + "mailbox.c",
        "	if (number > mb->exists || (idles && number != mb->exists))",
        "	if (idles && number + 1000 < mb->exists)",
        "sim", (), 200),
    # Without the first filter alone nothing is judged twice: what lies below
    # the cursor is far from it, too, as the difference is unsigned; so the
    # only harm is a question for the end. Both go.
    "n:* is not filtered": (
        ACCOUNT + "mailbox_sweep.c",
        "	if ((uid < mb->cursor && !mb->is_late) || uid == UINT32_MAX ||\n"
        "	    imap_seqset_has(&mb->window_seen, uid))\n"
        "		return false;\n"
        "	if (mb->retry.count > 0)\n"
        "		return imap_seqset_has(&mb->retry, uid);\n"
        "	return mb->window_end == 0 || uid <= mb->window_end;\n"
        "}\n\n"
        "/* With an open end, one wrong number would carry the cursor away "
        "over all mail\n * to come. */\n"
        "static bool\n"
        "is_far(const struct mailbox *mb, uint32_t uid)\n"
        "{\n"
        "	return mb->window_end == 0 && !mb->is_late &&\n",
        "	if (imap_seqset_has(&mb->window_seen, uid))\n"
        "		return false;\n"
        "	if (mb->retry.count > 0)\n"
        "		return imap_seqset_has(&mb->retry, uid);\n"
        "	return mb->window_end == 0 || uid <= mb->window_end;\n"
        "}\n\n"
        "static bool\n"
        "is_far(const struct mailbox *mb, uint32_t uid)\n"
        "{\n"
        "	return mb->window_end == 0 && uid > mb->cursor &&\n",
        "sim", (), 200),
    "EXISTS at the end of IDLE is dropped": (
        ACCOUNT + "mailbox.c",
        "	if (number > mb->exists || (idles && number != mb->exists))",
        "	if (mb->state == MAILBOX_IDLE_END)\n		return;\n"
        "	if (number > mb->exists || (idles && number != mb->exists))",
        "sim", (), 200),
    "what is made again behind an open connection is not seen": (
        ACCOUNT + "mailbox_reopen.c",
        "	if (now >= mb->reopen.next)\n"
        "		mb->reopen.is_due = true;\n",
        "	(void)now;\n	(void)mb;\n",
        "sim", (), 200),
    "who opens a mailbox once more puts off the look below the cursor": (
        ACCOUNT + "mailbox_audit.c",
        "	if (mb->reopen.repeats && mb->uidvalidity == mb->cursor_validity)",
        "	if (false)",
        "run-script", (), 0),
    "how soon silent connections die is not learned": (
        ACCOUNT + "mailbox_proof.c",
        "	    now < usec_add(proof->died, CONVICT_USEC))\n"
        "		convict(mb, now);\n",
        "	    now < usec_add(proof->died, CONVICT_USEC))\n"
        "		(void)convict;\n",
        "sim", (), 200),
    "silence that kills now and then is not learned": (
        ACCOUNT + "mailbox_proof.c",
        "	bool is_sure = !proof->was_young && proof->deaths < CONVICT_TESTS;",
        "	bool is_sure = !proof->was_young;",
        "sim", ("--weather", "nat"), 900),
    "a renewal that went well forgives all deaths": (
        ACCOUNT + "mailbox_proof.c",
        "		proof->deaths--;\n",
        "		proof->deaths = 0;\n",
        "sim", ("--weather", "nat"), 900),
    "nobody looks below the cursor": (
        ACCOUNT + "mailbox_audit.c",
        "	mailbox_add_uids(&audit->late, &audit->found, &audit->known,\n"
        "	    first_late(audit), mb->cursor);\n",
        "",
        "sim", (), 100),
    "who is below the cursor is not known": (
        ACCOUNT + "mailbox_audit.c",
        "	mailbox_add_uids(&audit->known, &audit->found, &audit->late,\n"
        "	    first_uid(mb), mb->cursor);\n",
        "",
        "sim", (), 100),
    "the history is not asked after a rebuild": (
        ACCOUNT + "mailbox_rebuilt.c",
        "	else if (!recall_has(rebuilt->recall, &row) &&",
        "	else if (true &&",
        "sim", ("--personality", "uids-may-change"), 200),
    "a full folder is a refusal for good": (
        ACCOUNT + "mailbox_suspend.c",
        "	suspension->is_forbidden = kind != IMAP_REFUSAL_QUOTA;",
        "	suspension->is_forbidden = true;",
        "sim", (), 100),
    "what must be alone is not": (
        ACCOUNT + "mailbox_act.c",
        "	return job != NULL && mb->op_count > 0 && must_be_alone(mb, job, now)",
        "	return false && must_be_alone(mb, job, now)",
        "sim", (), 400),
    "a lost command is begun again in its turn": (
        ACCOUNT + "mailbox_left.c",
        "	while (job->next < job->count && mailbox_job_current(job)->lost) {",
        "	while (false) {",
        "sim", (), 100),
    "cursor runs ahead": (
        ACCOUNT + "mailbox_sweep.c",
        "		cursor = mb->window_end + 1;",
        "		cursor = mb->window_end + 2;",
        "sim", (), 50),
    "UIDVALIDITY is ignored": (
        ACCOUNT + "mailbox_sweep.c",
        "	bool is_rebuilt = mb->cursor_validity != mb->uidvalidity;",
        "	bool is_rebuilt = false;",
        "sim", ("--personality", "uids-may-change"), 100),
    "plans of another UIDVALIDITY stay": (
        ACCOUNT + "mailbox_sweep.c",
        "	give_up(mb, mb->uidvalidity,\n	    \"the server rebuilt the "
        "mailbox (UIDVALIDITY changed)\", now);\n",
        "	(void)give_up;\n	(void)now;\n	(void)mb;\n",
        "sim", ("--personality", "uids-may-change"), 100),
    "full list of jobs hides a dead link": (
        ACCOUNT + "mailbox_rest.c",
        "	} else if (mb->state == MAILBOX_POLLING && mb->proof.doubted &&",
        "	} else if (false && mb->proof.doubted &&",
        "sim", (), 800),
    "hint is ignored": (
        ACCOUNT + "mailbox_proof.c",
        "	if (now >= mb->proof.next_hint)\n		hint_now(mb, now);\n",
        "	if (now >= mb->proof.next_hint)\n		return;\n",
        "sim", (), 100),
    "command is run again after a death": (
        ACCOUNT + "mailbox_jobs.c",
        "	else if (is_lost_exec(&action, effect->state))",
        "	else if (false)",
        "sim", (), 100),
    "copy that failed counts": (
        ACCOUNT + "mailbox_move.c",
        "		target_missing(mb, response, now);\n		return;\n	}\n"
        "	mailbox_move_note_copyuid(mb, response, now);\n"
        "	if (mb->op->action.kind == ACTION_COPY) {",
        "	}\n	mailbox_move_note_copyuid(mb, response, now);\n"
        "	if (mb->op->action.kind == ACTION_COPY) {",
        "sim", (), 100),
    "waits are ignored": (
        ACCOUNT + "mailbox_login.c",
        "	return mb->login.tried ? at_least(mb, wait, "
        "MAILBOX_LOGIN_USEC) : wait;",
        "	return 0;",
        "sim", (), 50),
    "nobody is held back by a login that failed": (
        ACCOUNT + "account.c",
        "	if (until <= now)\n		return false;\n",
        "	if (true)\n		return false;\n",
        "many", ("--personality", "server-bug"), 60),
    "hint of a wait is kept for oneself": (
        ACCOUNT + "mailbox.c",
        "	if (wait < MAILBOX_LOGIN_USEC)\n",
        "	if (wait != MAILBOX_LOGIN_USEC)\n",
        "sim", ("--personality", "throttle-hint"), 60),
    "notified twice": (
        ACCOUNT + "mailbox_act.c",
        "		    MAILBOX_NOTIFY);\n",
        "		    MAILBOX_NOTIFY);\n"
        "		mailbox_task_hand_out(mb,\n"
        "		    mailbox_task_make(mb, job, mailbox_job_current(job)),\n"
        "		    MAILBOX_NOTIFY);\n",
        "sim", (), 400),
    "size that is not known is looked for": (
        ACCOUNT + "mailbox_verify.c",
        "	if (size == 0) {", "	if (size == 1) {",
        "sim", ("--personality", "mailru"), 40),
    "size of a file is looked for exactly": (
        ACCOUNT + "mailbox_verify.c",
        "is_wide ? (size - 1) / 2 : size - 1", "size - 1",
        "sim", (), 200),
    "new mailboxes are looked for every hour": (
        ACCOUNT + "account_watch.c",
        ": ACCOUNT_LIST_USEC);",
        ": ACCOUNT_LIST_LONG_USEC);",
        "many", (), 20),
    "everyone has a connection": (
        ACCOUNT + "account_rove.c",
        "		if (!is_shared || at + 1 < own)",
        "		if (true)",
        "many", (), 10),
    "trouble of the own connection stays": (
        ACCOUNT + "mailbox_rove.c",
        "		if (mb->retry_at <= now)\n"
        "			error_forget(&mb->trouble);\n",
        "",
        # Rare: one of thousands of worlds.
        "many", ("-s", "10001"), 300),
    "moves of an earlier life end where the first of them does": (
        ACCOUNT + "mailbox_act.c",
        "	    (!is_looked_for(mb, mailbox_job_current(job)) &&\n"
        "		!find_target(mb, now)))",
        "	    !find_target(mb, now))",
        "run-script", (), 0),
    "who shares a connection looks for a copy for ever": (
        ACCOUNT + "mailbox_rove.c",
        "	mailbox_verify_keep_looks(mb);\n",
        "",
        "many", ("--personality", "courier"), 100),
    "what was sent behind DONE is waited for on another connection": (
        ACCOUNT + "mailbox.c",
        "	mb->idle_command = 0;\n	mb->is_rushed = false;\n",
        "",
        "many", ("--personality", "courier"), 200),
    "what a stopped mailbox had to do is forgotten": (
        ACCOUNT + "mailbox.c",
        "	mb->is_known = false; /* what is left to do is read when it "
        "parks */\n",
        "",
        "run-script", (), 0),
    "older mail that was hidden is late mail": (
        ACCOUNT + "mailbox_audit.c",
        "	    first_late(audit), mb->cursor);",
        "	    (first_late(audit), audit->first), mb->cursor);",
        "many", ("--personality", "partial-view"), 60),
    "what is deleted at Gmail stays in All Mail": (
        ACCOUNT + "mailbox_move.c",
        "	if (!goes_to_trash(mb)) {",
        "	if (true) {",
        "many", ("--personality", "expunge-archives"), 10),
    "what a visit was for leads to the next one": (
        ACCOUNT + "mailbox_rove.c",
        "	return (says_nothing || news->uidnext == mb->visited_for) &&",
        "	return says_nothing &&",
        "many", ("--personality", "uidnext-rewind", "-s", "200"), 20),
    "all mailboxes are asked for at once": (
        ACCOUNT + "mailbox_ask.c",
        "	return alone ? 1 : MAILBOX_STATUS_MAX;",
        "	return alone ? 1 : 100;",
        "many", ("--personality", "pipeline-25"), 20),
    "LIST has options that are not offered": (
        ACCOUNT + "mailbox_open.c",
        "	special = (caps & IMAP_CAP_SPECIAL_USE) != 0;\n",
        "	special = true;\n	caps |= IMAP_CAP_LIST_EXTENDED;\n",
        "many", ("--personality", "list-specialuse-bad"), 10),
    "what folders are for is told by their names": (
        ACCOUNT + "folders.c",
        "		if (folders->items[i].use == use &&\n",
        "		if (false && folders->items[i].use == use &&\n",
        "many", ("--personality", "localised-folders"), 10),
    "an & that is not encoded leads nowhere": (
        ACCOUNT + "folders.c",
        "	if (shown != NULL &&\n	    (!ok || folders_find",
        "	if (false &&\n	    (!ok || folders_find",
        "many", ("--personality", "mutf7-bug"), 10),
    "message of two mailboxes is two": (
        ACCOUNT + "arrivals.c",
        "	if (!has_identity(arrivals, ANYWHERE, identity))",
        "	if (true)",
        "many", ("--personality", "gmail"), 10),
    "two judge a message at once": (
        ACCOUNT + "judging.c",
        "	return turn != NULL && turn->who != who;",
        "	return false;",
        "many", ("--personality", "objectid"), 60),
    "who waits is forgotten": (
        ACCOUNT + "mailbox_twin.c",
        "	twins->due = since != 0 && due != USEC_NEVER ? due : now;",
        "	imap_seqset_done(&twins->waiting);",
        "many", ("--personality", "gmail"), 60),
    "a connection that is doubted need not prove itself": (
        ACCOUNT + "mailbox_proof.c",
        "		imap_session_doubt(mb->session, now);",
        "		;",
        "sim", (), 20),
    "the ladder of waits never grows": (
        "daemon/wire/backoff.c",
        "		(*step)++;",
        "		;",
        "sim", (), 60),
    "the ladder starts anew with each login": (
        ACCOUNT + "mailbox_login.c",
        "	mb->login.tried = mb->login.again = false;\n"
        "	mb->login.was_good",
        "	backoff_succeeded(&mb->backoff);\n"
        "	mb->login.tried = mb->login.again = false;\n"
        "	mb->login.was_good",
        "sim", (), 60),
    "who hangs up on all that rest is logged in to without a pause": (
        ACCOUNT + "mailbox_login.c",
        "	return at_least(\n"
        "	    mb, wait, usec_since(usec_add(now, ahead), mb->login.even));",
        "	(void)ahead;\n	(void)now;\n	return wait;",
        "sim", (), 60),
    "the wait after any BYE is that after a long session": (
        ACCOUNT + "mailbox_login.c",
        "	return mb->login.is_bye && was_long(mb, now) &&",
        "	return mb->login.is_bye &&",
        "sim", (), 60),
    "a server that does not push is never found out": (
        ACCOUNT + "mailbox_proof.c",
        "	if (proof->renewing && proof->found > 0)",
        "	if (false)",
        "sim", ("--personality", "idle-silent"), 150),
    "UIDNEXT that is not told is not asked for": (
        ACCOUNT + "mailbox_sweep.c",
        "		ask_highest(mb, now); /* Courier, NetEase */\n"
        "		return;\n",
        "		mb->uidnext = mb->cursor != 0 ? mb->cursor : 1;\n",
        "sim", ("--personality", "no-uidnext"), 20),
    "what NOTIFY tells is not heard": (
        ACCOUNT + "mailbox_rove.c",
        "		tell_pushed(mb, &status);\n",
        "		(void)tell_pushed;\n",
        "many", (), 30),
    "a mailbox that NOTIFY tells of is not looked for": (
        ACCOUNT + "mailbox_rove.c",
        "	else if (!lists && imap_list_parse(response, &entry))\n"
        "		mb->lists = true;",
        "	else if (!lists && imap_list_parse(response, &entry))\n"
        "		;",
        "many", (), 30),
    "how many connections are allowed is not learned": (
        ACCOUNT + "account_rove.c",
        "	if (had <= 1)\n		return;\n",
        "	if (true)\n		return;\n",
        "many", (), 40),
    "a connection that was refused is never tried again": (
        ACCOUNT + "account_rove.c",
        "	account->allowed++;\n",
        "	if (account->allowed > 0)\n		return;\n",
        "many", (), 40),
    "UIDNEXT that went back is not seen": (
        ACCOUNT + "mailbox_sweep.c",
        "	if (mb->uidnext < mb->cursor) {",
        "	if (false) {",
        "run-script", (), 0),
    "a run passes over what is left out": (
        ACCOUNT + "mailbox_backlog.c",
        "		mailbox_missing_ask(mb, now);",
        "		mailbox_backlog_group_came(mb, now);",
        "sim", ("--weather", "chaos"), 400),
    "who does not search has no copy": (
        ACCOUNT + "mailbox_verify.c",
        "		ask_last_sizes(mb, now);",
        "		compare(mb, now);",
        "run-script", (), 0),
    "flags that a person changed are changed back": (
        ACCOUNT + "mailbox_resync.c",
        "	if (mb->op->guard == 0)\n		return;",
        "	if (true)\n		return;",
        "run-script", (), 0),
    "what is planned for a message that is gone is tried": (
        ACCOUNT + "mailbox_resync.c",
        "	return job->gone && !job->running",
        "	return false && !job->running",
        "run-script", (), 0),
    "what is said of the mailbox before counts for this one": (
        ACCOUNT + "mailbox_resync.c",
        "	if (is_of_another(mb))\n		return;",
        "	if (false)\n		return;",
        "run-script", (), 0),
    "a claim of an earlier life seems to be a person's change": (
        ACCOUNT + "mailbox_resync.c",
        "	if (has_claim(&fetch))",
        "	if (false && has_claim(&fetch))",
        "run-script", (), 0),
    "NOTIFY is on again though the server gave up meanwhile": (
        ACCOUNT + "mailbox_rove.c",
        "	bool gave_up = mb->round->push == PUSH_OFF; /* meanwhile */",
        "	bool gave_up = false;",
        "run-script", (), 0),
    "what is appended does not end in CRLF": (
        ACCOUNT + "claims.c",
        "	    \"write `claim = no` for the account in belfry.conf.\\r\\n\",",
        "	    \"write `claim = no` for the account in belfry.conf.\",",
        "sim", ("--personality", "append-needs-crlf"), 10),
    "claim is believed beside another's": (
        ACCOUNT + "claim.c",
        "	} else if (r->own && r->others == 0 && !r->marked) {",
        "	} else if (r->own && !r->marked) {",
        "sim-claim", (), 300),
    "mark of another machine is not seen": (
        ACCOUNT + "claim.c",
        "	else if (r->marked)\n		judge_marked(r);\n",
        "",
        "sim-claim", (), 300),
    "command that is marked is taken for one that never ran": (
        ACCOUNT + "claim.c",
        "	else if (r->marked)\n		judge_marked(r);\n"
        "	else if (claim->only_looks)\n		judge_left(r);\n",
        "	else if (claim->only_looks)\n		judge_left(r);\n"
        "	else if (r->marked)\n		judge_marked(r);\n",
        "sim-claim", (), 1000),
    "claim stays beside the mark of a killed machine": (
        ACCOUNT + "claim.c",
        "	r->want = r->own ? WANT_WITHDRAW : WANT_NOTHING;\n"
        "	r->held = false;\n}\n",
        "	r->want = WANT_NOTHING;\n	r->held = false;\n}\n",
        "sim-claim", (), 300),
    "claim of an earlier life is believed as it is": (
        ACCOUNT + "claim.c",
        "	else if (claim->modseq != 0)\n"
        "		r->want = r->tick ? WANT_UNTICK : WANT_TICK;",
        "	else if (claim->modseq != 0)\n		win(r, now);",
        "sim-claim", (), 3000),
    "renewed claim is taken for an old one": (
        ACCOUNT + "claim.c",
        "	    r->modseq == r->seen_modseq)",
        "	    true)",
        "sim-claim", (), 3000),
    "lease goes on with the next claim": (
        ACCOUNT + "claim.c",
        "	r->seen_since = now;\n	r->looks = 0;",
        "	if (r->seen_since == USEC_NEVER)\n"
        "		r->seen_since = now;\n	r->looks = 0;",
        "sim-claim", (), 3000),
    "claim is taken over while its owner may act": (
        ACCOUNT + "claim.c",
        "	if (usec_since(r->seen_since, now) < lease_of(claim, r))",
        "	if (usec_since(r->seen_since, now) < "
        "lease_of(claim, r) / 3)",
        "sim-claim", (), 3000),
    "lease is short where nobody sees a claim renewed": (
        ACCOUNT + "claim.c",
        "	usec_t lease = claim->modseq != 0 ? claim->lease : "
        "claim->slow_lease;",
        "	usec_t lease = claim->lease;",
        "sim-claim", (), 3000),
    "keyword is believed at once": (
        ACCOUNT + "claim.c",
        "		else if (!r->checks)\n			announce(r, now);",
        "		else if (!r->checks)\n"
        "			announce(r, now - CLAIM_SETTLE_USEC);",
        "sim-claim", (), 3000),
    "log is not read to its end": (
        ACCOUNT + "claim_log.c",
        "	return log->position > CLAIM_LOG_OVERLAP\n"
        "		   ? log->position - CLAIM_LOG_OVERLAP\n"
        "		   : 1;",
        "	return log->position + 2;",
        "sim-claim", (), 1000),
    "log forgets what is young": (
        ACCOUNT + "claim_log.c",
        "		if (age_of(log, line) >= life)",
        "		if (age_of(log, line) >= life / 20000)",
        "sim-claim", (), 1000),
    "log is not kept by mailbox and message": (
        ACCOUNT + "claim_log.c",
        "		    !imap_seqset_has(&line->uids, uid) ||",
        "		    line->uids.ranges[0].first != uid ||",
        "sim-claim", (), 1000),
    "what a log's condition left out counts": (
        ACCOUNT + "claim_log.c",
        "		if (apply(&words, line))\n"
        "			*changed_r = line->uid;",
        "		apply(&words, line);",
        "sim-claim", (), 3000),
    "log of another UIDVALIDITY counts": (
        ACCOUNT + "claim_log.c",
        "line->validity != uidvalidity ||",
        "(false && line->validity != uidvalidity) ||",
        "sim-claim", (), 2000),
    "log that is gone is remembered": (
        ACCOUNT + "claim_log.c",
        "		forget_all(log);\n		log->void_until",
        "		log->void_until",
        "sim-claim", (), 2000),
    "late entry of a log that is gone counts": (
        ACCOUNT + "claim_log.c",
        "line->log == 0 || line->log == log->validity", "true",
        "sim-claim", (), 8000),
    "claim stays beside another's": (
        ACCOUNT + "claim.c",
        "	if (r->own && !claim->expects_mark) {\n"
        "		r->want = WANT_WITHDRAW;\n"
        "		back_off(claim, r, now);\n		return;\n	}\n"
        "	wait_for_other",
        "	wait_for_other",
        "sim-claim", (), 300),
    "late mark of a dead connection is taken for another's": (
        ACCOUNT + "claim.c",
        "	} else if (is_mine(claim, r)) {\n",
        "	} else if (false) {\n",
        "sim-claim", (), 8000),
    "what an entry of the log takes away stays": (
        ACCOUNT + "claim_log.c",
        "		changed |= set_word(words, word, line->add);",
        "		changed |= set_word(words, word, true);",
        "sim-claim-forward", (), 500),
    "claim of what may have been sent seems to be nobody's": (
        ACCOUNT + "claim.c",
        "	else if (r->sending)\n"
        "		r->want = WANT_CLAIM; /* it must not seem to be nobody's */\n",
        "",
        "sim-claim-forward", (), 300),
    "dot is said though the journal does not know": (
        OUTBOX + "outbox.c",
        "	} else if (!ok) {\n		outbox_fail_round(o, error, now);",
        "	} else if (!ok && o->stopping) {\n"
        "		outbox_fail_round(o, error, now);",
        "sim-outbox", (), 100),
    "outcome goes on though it was not written": (
        OUTBOX + "outbox.c",
        "	if (ok) {\n		outbox_note_marks(o, true);",
        "	if (ok || error != NULL) {\n"
        "		outbox_note_marks(o, true);",
        "sim-outbox", (), 200),
    "next try is not waited for": (
        OUTBOX + "outbox_round.c",
        "	if (seconds <= 0)\n		return 0;",
        "	if (seconds <= 3000)\n		return 0;",
        "sim-outbox", (), 50),
    "what was deferred is tried at once": (
        OUTBOX + "outbox_outcome.c",
        "	usec_t wait = retry_wait(&o->random, attempts, event->slow);",
        "	usec_t wait = event->slow;",
        "sim-outbox", (), 50),
    "trouble of the account is not waited for": (
        OUTBOX + "outbox_round.c",
        "	if (wait > o->wait)\n		o->wait = wait;",
        "	if (wait > o->wait)\n		o->wait = wait / 100;",
        "sim-outbox", (), 100),
    "what a crash left is sent again, whatever the rule says": (
        OUTBOX + "outbox_round.c",
        "	    o, SMTP_UNKNOWN, &none, \"interrupted while it was sent\", "
        "now);",
        "	    o, SMTP_DEFERRED, &none, \"interrupted while it was sent\", "
        "now);",
        "sim-outbox", (), 100),
    "lost answer is no answer": (
        OUTBOX + "outbox_outcome.c",
        "	    [SMTP_UNKNOWN] = on_unknown,",
        "	    [SMTP_UNKNOWN] = on_deferred,",
        "sim-outbox", (), 100),
    "refused for good is tried on": (
        OUTBOX + "outbox_outcome.c",
        "	    [SMTP_REFUSED] = outbox_refuse,",
        "	    [SMTP_REFUSED] = on_deferred,",
        "sim-outbox", (), 50),
    "sent behind another is not asked for": (
        OUTBOX + "outbox_next.c",
        "	       !span_starts(span_from_str(item->reply), STORE_CLAIMED) &&\n",
        "",
        "sim-outbox", (), 100),
    "what was accepted is forgotten when it cannot be written": (
        OUTBOX + "outbox_behind.c",
        "	if (ok) {\n		forget_written(o, now);",
        "	if (ok || error != NULL) {\n		forget_written(o, now);",
        "sim-outbox", (), 100),
    "a verdict does not wait for what is written": (
        OUTBOX + "outbox_behind.c",
        "	if (!outbox_is_behind(o) || event->kind == SMTP_EVENT_RECIPIENT)",
        "	if (!outbox_is_behind(o) || event->kind != SMTP_EVENT_COMMIT)",
        "sim-outbox", (), 100),
    "marked though it asks the person": (
        OUTBOX + "outbox_next.c",
        "	       strcmp(follower->item.unknown, \"resend\") == 0;",
        "	       follower->item.unknown[0] != '\\0';",
        "sim-outbox", (), 100),
    "Sent is looked at once": (
        OUTBOX + "outbox_seek.c",
        "waits[o->seek_looks] : 0;",
        "0 : 0;",
        "sim-outbox", (), 200),
    "what is found in Sent is sent again": (
        OUTBOX + "outbox_seek.c",
        "	outbox_settle(o, QUEUE_SENT, o->item.attempts + 1, 0, reply, now);",
        "	outbox_settle(o, QUEUE_WAITING, o->item.attempts + 1, 0, reply, "
        "now);",
        "sim-outbox", (), 100),
}

# What is rare becomes common: all limits of these names are that small.
NARROW = {
    "MAILBOX_WINDOW": "3",
    "MAILBOX_REVIEW": "2",
    "MAILBOX_JOBS_MAX": "8",
    "MAILBOX_FEW": "1",
    "MAILBOX_GROUP_MAX": "2",
    "MAILBOX_COMMANDS_MAX": "1",
    "MAILBOX_SUSPENDED_MAX": "1",
    "MAILBOX_FOLLOWED_MAX": "2",
}
NARROW_SEEDS = (("sim", 60), ("many", 10))

VARIABLES = ("CC", "DEFS", "DEFAULT_INCLUDES", "INCLUDES", "AM_CPPFLAGS",
             "CPPFLAGS", "AM_CFLAGS", "CFLAGS", "AM_LDFLAGS", "LDFLAGS",
             "LIBS", "tests_sim_sim_OBJECTS", "tests_sim_sim_LDADD",
             "tests_sim_many_OBJECTS", "tests_sim_many_LDADD",
             "tests_sim_sim_claim_OBJECTS", "tests_sim_sim_claim_LDADD",
             "tests_sim_sim_claim_forward_OBJECTS",
             "tests_sim_sim_claim_forward_LDADD",
             "tests_sim_sim_outbox_OBJECTS", "tests_sim_sim_outbox_LDADD",
             "tests_sim_sweep_OBJECTS", "tests_sim_sweep_LDADD",
             "tests_scripts_run_script_OBJECTS",
             "tests_scripts_run_script_LDADD")
# Where it is, when not among the simulations.
FOLDERS = {"run-script": "scripts"}


class Builder:
    def __init__(self, source, build):
        self.source = os.path.abspath(source)
        self.build = os.path.abspath(build)
        recipe = "; ".join("echo '%s=$(%s)'" % (v, v) for v in VARIABLES)
        out = subprocess.run(
            ["make", "-s", "--no-print-directory", "--eval",
             "print-all: ; @" + recipe, "print-all"],
            cwd=self.build, capture_output=True, text=True, check=True)
        self.values = dict(line.split("=", 1)
                           for line in out.stdout.splitlines() if "=" in line)

    def words(self, *names):
        found = []
        for name in names:
            found += self.values[name].split()
        return found

    def compile(self, text, relative, folder, includes=()):
        path = os.path.join(folder, os.path.basename(relative))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        target = path[:-2] + ".o"
        command = (self.words("CC", "DEFS") + list(includes) +
                   self.words("DEFAULT_INCLUDES", "INCLUDES", "AM_CPPFLAGS",
                              "CPPFLAGS", "AM_CFLAGS", "CFLAGS") +
                   ["-w", "-c", "-o", target, path])
        self.run(command)
        return target

    def link(self, program, objects, folder):
        made = "tests_%s_%s" % (FOLDERS.get(program, "sim"),
                                program.replace("-", "_"))
        target = os.path.join(folder, program)
        command = (self.words("CC", "AM_CFLAGS", "CFLAGS", "AM_LDFLAGS",
                              "LDFLAGS", made + "_OBJECTS") +
                   objects + self.words(made + "_LDADD", "LIBS") +
                   ["-o", target])
        self.run(command)
        return target

    def run(self, command):
        done = subprocess.run(command, cwd=self.build, capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    def read(self, relative):
        with open(os.path.join(self.source, relative),
                  encoding="utf-8") as file:
            return file.read()


def play(program, arguments, seeds, source, seconds=600):
    options = ["-f", "-s", "1", "-n", str(seeds)] if seeds > 0 else []
    return subprocess.run(
        [program, *options, *arguments], capture_output=True, text=True,
        errors="replace", timeout=seconds,
        env={**os.environ, "srcdir": source, "SCRIPT_SWEEP": "200"})


def try_mutant(builder, name):
    relative, old, new, program, arguments, seeds = MUTANTS[name]
    text = builder.read(relative)
    if text.count(old) != 1:
        return "does not apply: %d times in %s" % (text.count(old), relative)
    with tempfile.TemporaryDirectory() as folder:
        try:
            broken = builder.compile(text.replace(old, new), relative, folder)
            binary = builder.link(program, [broken], folder)
        except RuntimeError as error:
            return "cannot be built: %s" % error
        done = play(binary, arguments, seeds, builder.source)
    if done.returncode == 0:
        return "NOT CAUGHT in %d seeds of %s" % (seeds, program)
    found = re.search(r"seed \d+: .*|sweep -v .*|[^/\n]*:\d+: .*",
                      done.stdout + done.stderr)
    print("ok   %s: %s" % (name, found.group() if found
                           else "died (%d)" % done.returncode), flush=True)
    return None


def narrow(builder):
    """The engine with small limits is as good as with large ones."""
    header = builder.read(ACCOUNT + "mailbox.h")
    for limit, value in NARROW.items():
        header, count = re.subn(r"(#define %s )\S.*" % limit,
                                r"\g<1>" + value, header)
        if count != 1:
            return "there is no %s" % limit
    with tempfile.TemporaryDirectory() as folder:
        os.makedirs(os.path.join(folder, ACCOUNT))
        with open(os.path.join(folder, ACCOUNT, "mailbox.h"), "w",
                  encoding="utf-8") as file:
            file.write(header)
        paths = sorted(glob.glob(os.path.join(
            builder.source, ACCOUNT, "*.c")))
        objects = [builder.compile(
            builder.read(os.path.relpath(path, builder.source)),
            path, folder, ("-I" + folder,)) for path in paths]
        for program, seeds in NARROW_SEEDS:
            binary = builder.link(program, objects, folder)
            done = play(binary, (), seeds, builder.source)
            if done.returncode != 0:
                return "%s with narrow limits: %s" % (program, done.stdout)
    print("ok   narrow limits", flush=True)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[2])
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--source", default=os.path.join(here, "..", ".."))
    parser.add_argument("--build", default=".")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    builder = Builder(options.source, options.build)
    names = options.names or list(MUTANTS)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        tasks = {pool.submit(try_mutant, builder, name): name
                 for name in names}
        if not options.names:
            tasks[pool.submit(narrow, builder)] = "narrow limits"
        for task in concurrent.futures.as_completed(tasks):
            why = task.result()
            if why is not None:
                print("FAIL %s: %s" % (tasks[task], why), flush=True)
                failed += 1
    print("%d mutants, %d failed" % (len(names), failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
