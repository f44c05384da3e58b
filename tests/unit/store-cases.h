/* The contract of store.h, sentence by sentence: rows of test-store.c's
 * `cases`: name, script, answers. */
/* clang-format off */
{"nothing at first",
	"?cursor work/INBOX/0\n?open work/INBOX/0\n?history - - - 0 0\n"
	"?next work\n?queued -\n?hits 0\n?fact work idle\n?stats\n?senders work\n",
	"no cursor\nnothing\nno fact\n"},
{"an empty batch",
	"commit\n?cursor work/INBOX/0\n",
	"no cursor\n"},

/* Cursors. */
{"cursor: set, and set again",
	"cursor work/INBOX/7 100 5\ncommit\n?cursor work/INBOX/0\n"
	"cursor work/INBOX/7 101 0\ncommit\n?cursor work/INBOX/0\n",
	"work/INBOX/7 next 100 modseq 5\nwork/INBOX/7 next 101 modseq 0\n"},
{"cursor: a new uidvalidity takes the place of the old",
	"cursor work/INBOX/7 100 5\ncursor work/INBOX/8 1 0\ncommit\n"
	"?cursor work/INBOX/0\n",
	"work/INBOX/8 next 1 modseq 0\n"},
{"cursor: of this account and mailbox only",
	"cursor work/INBOX/7 100 5\ncommit\n"
	"?cursor home/INBOX/0\n?cursor work/Inbox/0\n",
	"no cursor\nno cursor\n"},
{"cursor: the largest numbers",
	"cursor w/I/4294967295 4294967295 18446744073709551615\ncommit\n"
	"?cursor w/I/0\n",
	"w/I/4294967295 next 4294967295 modseq 18446744073709551615\n"},

/* Messages and effects. */
{"message: one that is there changes nothing",
	"message work/INBOX/7 1 50 lists\ncommit\n"
	"message work/INBOX/7 1 99 other\ncommit\n?history - - - 0 0\n",
	"work/INBOX/7/1 @50 lists\n"},
{"message: twice in a batch",
	"message work/INBOX/7 1 50 lists\nmessage work/INBOX/7 1 99 other\n"
	"commit\n?history - - - 0 0\n",
	"work/INBOX/7/1 @50 lists\n"},
{"message: every part of the key counts",
	"message a/x/7 1 1 r\nmessage b/x/7 1 2 r\nmessage a/y/7 1 3 r\n"
	"message a/x/8 1 4 r\nmessage a/x/7 2 5 r\ncommit\n"
	"?history - - - 0 0\n",
	"a/x/7/2 @5 r\na/x/8/1 @4 r\na/y/7/1 @3 r\nb/x/7/1 @2 r\n"
	"a/x/7/1 @1 r\n"},
{"judged: from a UID on, the highest first, of this mailbox only",
	"message w/I/7 1 50 r\nmessage w/I/7 3 40 r\nmessage w/I/7 2 60 r\n"
	"message w/I/8 4 60 r\nmessage w/J/7 5 60 r\nmessage x/I/7 6 60 r\n"
	"commit\n?judged w/I/7 2\n?judged w/I/6 1\n",
	"3\n2\n"},
{"judged: until the reader has enough",
	"message w/I/7 1 1 r\nmessage w/I/7 2 1 r\nmessage w/I/7 3 1 r\n"
	"message w/I/7 4 1 r\ncommit\n?judged w/I/7 1\n",
	"4\n3\n2\n"},
{"notified: what was done since then, each message once",
	"effect w/I/7 1 0 done notify\neffect w/I/7 1 1 done notify\n"
	"effect w/I/7 2 0 planned notify\neffect w/I/7 3 0 done move\n"
	"effect w/I/7 4 0 done notify\neffect w/I/7 5 0 planned notify\n"
	"effect w/I/8 6 0 done notify\neffect w/J/7 7 0 done notify\n"
	"set w/I/7 5 0 done 1 60 shown\ncommit\n"
	"?notified w/I/7 1 10\n?notified w/I/7 1 11\n?notified w/I/7 5 0\n",
	"5\n4\n1\n5\n5\n"},
{"again: one that is there gets the new judgement",
	"message work/INBOX/7 1 50 lists\ncommit\n"
	"again work/INBOX/7 1 99 other\ncommit\n?history - - - 0 0\n"
	"?history - - other 0 0\n",
	"work/INBOX/7/1 @99 other was lists\n"
	"work/INBOX/7/1 @99 other was lists\n"},
{"again: one that is not there is added",
	"again work/INBOX/7 1 99 other\ncommit\n?history - - - 0 0\n",
	"work/INBOX/7/1 @99 other\n"},
{"again: stands where its new time belongs, with all its effects",
	"message w/I/7 1 50 r\nmessage w/I/7 2 60 r\n"
	"effect w/I/7 1 0 done\nagain w/I/7 1 70 s\n"
	"effect w/I/7 1 1000 planned\ncommit\n?history - - - 0 0\n",
	"w/I/7/1 @70 s was r\n  1#0 done 1@10 as planned\n"
	"  1#1000 planned 1@10 as planned\nw/I/7/2 @60 r\n"},

/* Runs over old messages. */
{"apply: set, and set again",
	"apply w/I/7 1 running 5 90 a b\ncommit\n?applies -\n"
	"apply w/I/7 1 done 90 90 a b\ncommit\n?applies -\n"
	"apply w/I/7 2 running 1 95\ncommit\n?applies w\n",
	"w/I/7 run 1 running 5 to 90 a b\nw/I/7 run 1 done 90 to 90 a b\n"
	"w/I/7 run 2 running 1 to 95\n"},
{"apply: one for each mailbox, by name; of one account",
	"apply w/J/7 1 running 5 90\napply v/I/7 1 cancelled 5 90\n"
	"apply w/I/7 1 ended 4294967295 90\ncommit\n?applies -\n?applies w\n"
	"?applies x\n",
	"v/I/7 run 1 cancelled 5 to 90\n"
	"w/I/7 run 1 ended 4294967295 to 90\nw/J/7 run 1 running 5 to 90\n"
	"w/I/7 run 1 ended 4294967295 to 90\nw/J/7 run 1 running 5 to 90\n"},
{"apply: what became of its actions",
	"effect w/I/7 1 0 done\neffect w/I/7 1 999 done\n"
	"effect w/I/7 1 1000 done\neffect w/I/7 2 1000 done\n"
	"effect w/I/7 2 1999 failed\neffect w/I/7 3 2000 done\n"
	"effect w/I/8 4 1000 done\neffect w/J/7 1 1000 done\n"
	"effect v/I/7 1 1000 done\ncommit\n"
	"?counts w/I/7 1\n?counts w/I/7 3\n",
	"lists move done 2\nlists move failed 1\n"},
{"apply: is not pruned",
	"apply w/I/7 3 done 5 90\ncommit\nprune 1000\n?applies -\n",
	"w/I/7 run 3 done 5 to 90\n"},
{"effect: one that is there changes nothing",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 planned\ncommit\n"
	"set w/I/7 1 0 done 2 60 moved\ncommit\n"
	"effect w/I/7 1 0 planned\ncommit\n?history - - - 0 0\n",
	"w/I/7/1 @50 r\n  1#0 done 2@60 moved\n"},
{"effect: set one that is not there",
	"set w/I/7 1 0 done 2 60 moved\ncommit\n?open w/I/0\n",
	""},
{"effect: every state is kept",
	"message w/I/7 1 50 r\n"
	"effect w/I/7 1 0 planned\neffect w/I/7 1 1 started\n"
	"effect w/I/7 1 2 done\neffect w/I/7 1 3 failed\n"
	"effect w/I/7 1 4 skipped\neffect w/I/7 1 5 unknown\ncommit\n"
	"?history - - - 0 0\n",
	"w/I/7/1 @50 r\n"
	"  1#0 planned 1@10 as planned\n  1#1 started 1@10 as planned\n"
	"  1#2 done 1@10 as planned\n  1#3 failed 1@10 as planned\n"
	"  1#4 skipped 1@10 as planned\n  1#5 unknown 1@10 as planned\n"},
{"history: until, and by what became of it",
	"message w/I/7 1 50 r\nmessage w/I/7 2 60 r\nmessage w/I/7 3 70 r\n"
	"effect w/I/7 1 0 done\neffect w/I/7 1 1 failed\n"
	"effect w/I/7 2 0 done\ncommit\n"
	"?history - - - 0 0 60\n?history - - - 51 0 70\n"
	"?history - - - 0 0 0 failed\n?history - - - 0 1 0 done\n"
	"?history - - - 0 0 0 unknown\n",
	"w/I/7/1 @50 r\n  1#0 done 1@10 as planned\n"
	"  1#1 failed 1@10 as planned\n"
	"w/I/7/2 @60 r\n  2#0 done 1@10 as planned\n"
	"w/I/7/1 @50 r\n  1#0 done 1@10 as planned\n"
	"  1#1 failed 1@10 as planned\n"
	"w/I/7/2 @60 r\n  2#0 done 1@10 as planned\n"},
{"history: page by page",
	"message w/I/7 1 50 r\nmessage w/I/7 2 60 r\nmessage w/I/7 3 70 r\n"
	"message w/J/7 3 70 r\ncommit\n"
	"?history w I - 0 2 0 - 0\n?history w I - 0 2 0 - 2\n"
	"?history w I - 0 2 0 - 3\n?history w I - 0 0 0 - 2\n",
	"w/I/7/3 @70 r\nw/I/7/2 @60 r\nw/I/7/1 @50 r\nw/I/7/1 @50 r\n"},
{"open effects: planned and started, by uid and seq",
	"message w/I/7 2 50 two\nmessage w/I/7 10 50 ten\n"
	"effect w/I/7 10 1 started\neffect w/I/7 10 0 planned\n"
	"effect w/I/7 2 1 planned\neffect w/I/7 2 0 done\n"
	"effect w/J/7 1 0 planned\neffect v/I/7 1 0 planned\n"
	"effect w/I/7 11 0 failed\neffect w/I/7 12 0 skipped\n"
	"effect w/I/7 13 0 unknown\ncommit\n?open w/I/0\n",
	"[Anntwo] 2#1 planned 1@10 as planned\n"
	"[Annten] 10#0 planned 1@10 as planned\n"
	"[Annten] 10#1 started 1@10 as planned\n"},
{"open effects: settled ones leave",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 planned\n"
	"effect w/I/7 1 1 planned\neffect w/I/7 1 2 planned\ncommit\n"
	"set w/I/7 1 0 done 1 60 moved\nset w/I/7 1 1 started 1 60 now\n"
	"commit\n?open w/I/0\n",
	"[Annr] 1#1 started 1@60 now\n[Annr] 1#2 planned 1@10 as planned\n"},
{"open effects: one that is opened again comes back",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 failed\ncommit\n"
	"set w/I/7 1 0 planned 0 60 again\ncommit\n?open w/I/0\n",
	"[Annr] 1#0 planned 0@60 again\n"},
{"open effects: in which mailboxes",
	"effect w/J/7 1 0 planned\neffect w/J/8 1 0 started\n"
	"effect w/J/7 2 0 done\neffect w/A/7 1 0 planned\n"
	"effect w/D/7 1 0 done\neffect w/E/7 1 0 unknown\n"
	"effect w/F/7 1 0 started forward\neffect w/F/7 2 0 planned forward\n"
	"effect w/G/7 1 0 started forward\neffect v/I/7 1 0 planned\n"
	"effect x/I/7 1 0 planned\ncommit\n?mailboxes w\n?mailboxes u\n",
	"A 1\nF 1\nJ 2\n"},
{"open effects: without a message",
	"effect w/I/7 1 0 planned\ncommit\n?open w/I/0\n",
	"[] 1#0 planned 1@10 as planned\n"},
{"open effects: a message's stay together",
	"message w/I/7 1 50 old\nmessage w/I/8 1 50 new\n"
	"effect w/I/8 1 0 planned\neffect w/I/7 1 1 planned\n"
	"effect w/I/7 1 0 planned\neffect w/I/8 1 1 planned\n"
	"commit\n?open w/I/0\n",
	"[Annold] 1#0 planned 1@10 as planned\n"
	"[Annold] 1#1 planned 1@10 as planned\n"
	"[Annnew] 1#0 planned 1@10 as planned\n"
	"[Annnew] 1#1 planned 1@10 as planned\n"},

/* History. */
{"history: newest first, then the higher uid",
	"message w/I/7 3 50 r\nmessage w/I/7 20 50 r\nmessage w/I/7 1 70 r\n"
	"message w/I/7 4 60 r\ncommit\n?history - - - 0 0\n",
	"w/I/7/1 @70 r\nw/I/7/4 @60 r\nw/I/7/20 @50 r\nw/I/7/3 @50 r\n"},
{"history: of one account, of one mailbox",
	"message a/x/7 1 1 r\nmessage a/y/7 2 2 r\nmessage b/x/7 3 3 r\n"
	"commit\n?history a - - 0 0\n?history - x - 0 0\n?history b y - 0 0\n",
	"a/y/7/2 @2 r\na/x/7/1 @1 r\nb/x/7/3 @3 r\na/x/7/1 @1 r\n"},
{"history: of one rule, which is a whole word",
	"message w/I/7 1 1 lists boss\nmessage w/I/7 2 2 boss\n"
	"message w/I/7 3 3 bossy\nmessage w/I/7 4 4 the-boss\ncommit\n"
	"?history - - boss 0 0\n?history - - lists 0 0\n?history - - bo 0 0\n",
	"w/I/7/2 @2 boss\nw/I/7/1 @1 lists boss\nw/I/7/1 @1 lists boss\n"},
{"history: a rule that only observed",
	"message w/I/7 1 1 lists\ncommit\n?history - - watched 0 0\n",
	"w/I/7/1 @1 lists\n"},
{"history: since, and not more than",
	"message w/I/7 1 10 r\nmessage w/I/7 2 20 s\nmessage w/I/7 3 30 r\n"
	"message w/I/7 4 40 s\ncommit\n?history - - - 20 0\n"
	"?history - - - 0 1\n?history - - r 0 1\n",
	"w/I/7/4 @40 s\nw/I/7/3 @30 r\nw/I/7/2 @20 s\nw/I/7/4 @40 s\n"
	"w/I/7/3 @30 r\n"},
{"history: effects by seq, of this message only",
	"message w/I/7 1 1 r\nmessage w/I/8 1 2 r\neffect w/I/7 1 10 done\n"
	"effect w/I/7 1 2 done\neffect w/I/8 1 0 done\neffect w/J/7 1 0 done\n"
	"effect w/I/7 2 0 done\ncommit\n?history - - - 0 0\n",
	"w/I/8/1 @2 r\n  1#0 done 1@10 as planned\n"
	"w/I/7/1 @1 r\n  1#2 done 1@10 as planned\n"
	"  1#10 done 1@10 as planned\n"},

/* Queue. */
{"queue: in order of time, bytes only with the next",
	"enqueue k1 w/I/7 1 0 work 30 one\nenqueue k2 w/I/7 2 0 work 20 two\n"
	"enqueue k3 w/I/7 3 0 home 10 three\ncommit\n"
	"?next work\n?next home\n?next other\n?queued work\n?queued -\n",
	"2 k2 w/I/7/2#0 work waiting 0@20 <two>\n"
	"3 k3 w/I/7/3#0 home waiting 0@10 <three>\n"
	"nothing\n"
	"1 k1 w/I/7/1#0 work waiting 0@30\n"
	"2 k2 w/I/7/2#0 work waiting 0@20\n"
	"1 k1 w/I/7/1#0 work waiting 0@30\n"
	"2 k2 w/I/7/2#0 work waiting 0@20\n"
	"3 k3 w/I/7/3#0 home waiting 0@10\n"},
{"queue: measured by the texts that are there still",
	"?measure\nenqueue k1 w/I/7 1 0 work 1 one\n"
	"enqueue k2 w/I/7 2 0 home 1 three\nenqueue k3 w/I/7 3 0 work 1 seven\n"
	"commit\n?measure\nqueue 1 sent 1 0 5 ok\nqueue 2 failed 1 0 5 550 no\n"
	"queue 3 held 1 0 5 unknown\ncommit\n?measure\n"
	"queue 2 dropped 0 0 7\nqueue 3 dropped 0 0 7\ncommit\n?measure\n",
	"0 of 0 bytes\n3 of 13 bytes\n2 of 10 bytes\n0 of 0 bytes\n"},
{"queue: the older of two at one time",
	"enqueue k1 w/I/7 1 0 work 30 one\nenqueue k2 w/I/7 2 0 work 30 two\n"
	"commit\n?next work\n",
	"1 k1 w/I/7/1#0 work waiting 0@30 <one>\n"},
{"queue: what was being sent comes first",
	"enqueue k1 w/I/7 1 0 work 30 one\nenqueue k2 w/I/7 2 0 work 20 two\n"
	"enqueue k3 w/I/7 3 0 work 10 three\ncommit\n"
	"queue 2 sending 1 40 50\nqueue 1 sending 1 99 50\ncommit\n?next work\n",
	"1 k1 w/I/7/1#0 work sending 1@99 <one>\n"},
{"queue: what was being sent comes before an older one",
	"enqueue k1 w/I/7 1 0 work 1 one\nenqueue k2 w/I/7 2 0 work 50 two\n"
	"commit\nqueue 2 sending 1 50 50\ncommit\n?next work\n",
	"2 k2 w/I/7/2#0 work sending 1@50 <two>\n"},
{"queue: a later try",
	"enqueue k1 w/I/7 1 0 work 30 one\nenqueue k2 w/I/7 2 0 work 40 two\n"
	"commit\nqueue 1 waiting 3 90 50 451 later\ncommit\n"
	"?next work\nqueue 2 sent 1 0 60 ok\ncommit\n?next work\n",
	"2 k2 w/I/7/2#0 work waiting 0@40 <two>\n"
	"1 k1 w/I/7/1#0 work waiting 3@90 \"451 later\" <one>\n"},
{"queue: held and failed are not next, but keep their bytes",
	"enqueue k1 w/I/7 1 0 work 1 one\nenqueue k2 w/I/7 2 0 work 1 two\n"
	"commit\nqueue 1 held 1 0 5 unknown\nqueue 2 failed 1 0 5 550 no\n"
	"commit\n?next work\n"
	"queue 1 waiting 0 7 6\nqueue 2 waiting 0 8 6\ncommit\n?next work\n"
	"queue 1 dropped 0 0 7\ncommit\n?next work\n",
	"nothing\n1 k1 w/I/7/1#0 work waiting 0@7 <one>\n"
	"2 k2 w/I/7/2#0 work waiting 0@8 <two>\n"},
{"queue: an unknown id",
	"queue 77 sent 1 0 5 ok\ncommit\n?queued -\n",
	""},
{"queue: sent settles its effect",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 started\n"
	"effect w/I/7 1 1 planned\nenqueue k w/I/7 1 0 work 1 bytes\ncommit\n"
	"queue 1 sending 1 0 60\ncommit\n?open w/I/0\n"
	"queue 1 sent 2 0 70 250 thanks\ncommit\n"
	"?history - - - 0 0\n?queued -\n?next work\n",
	"[Annr] 1#0 started 1@10 as planned\n"
	"[Annr] 1#1 planned 1@10 as planned\n"
	"w/I/7/1 @50 r\n  1#0 done 2@70 250 thanks\n"
	"  1#1 planned 1@10 as planned\n"
	"1 k w/I/7/1#0 work sent 2@0 \"250 thanks\"\nnothing\n"},
{"queue: failed and dropped settle theirs, waiting and held do not",
	"message w/I/7 1 50 r\n"
	"effect w/I/7 1 0 started\neffect w/I/7 1 1 started\n"
	"effect w/I/7 1 2 started\neffect w/I/7 1 3 started\n"
	"enqueue a w/I/7 1 0 work 1 x\nenqueue b w/I/7 1 1 work 1 x\n"
	"enqueue c w/I/7 1 2 work 1 x\nenqueue d w/I/7 1 3 work 1 x\ncommit\n"
	"queue 1 failed 9 0 70 550 no\nqueue 2 dropped 2 0 71 by hand\n"
	"queue 3 held 1 0 72 unknown\nqueue 4 waiting 1 0 73 451 later\n"
	"commit\n?history - - - 0 0\n",
	"w/I/7/1 @50 r\n  1#0 failed 9@70 550 no\n"
	"  1#1 skipped 2@71 by hand\n  1#2 started 1@10 as planned\n"
	"  1#3 started 1@10 as planned\n"},
{"queue: a dead letter that went after all",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 started\n"
	"enqueue a w/I/7 1 0 work 1 bytes\ncommit\n"
	"queue 1 failed 9 0 70 550 no\ncommit\nqueue 1 waiting 0 80 75\n"
	"commit\n?next work\nqueue 1 sent 1 0 90 250 ok\ncommit\n"
	"?history - - - 0 0\n",
	"1 a w/I/7/1#0 work waiting 0@80 <bytes>\n"
	"w/I/7/1 @50 r\n  1#0 done 1@90 250 ok\n"},
{"queue: what was sent stays sent",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 started\n"
	"enqueue a w/I/7 1 0 work 1 bytes\ncommit\n"
	"queue 1 sent 1 0 70 250 ok\ncommit\n"
	"queue 1 waiting 1 0 71\ncommit\nqueue 1 failed 1 0 72 550 no\ncommit\n"
	"queue 1 dropped 1 0 73 by hand\ncommit\n"
	"?next work\n?queued -\n?history - - - 0 0\n",
	"nothing\n1 a w/I/7/1#0 work sent 1@0 \"250 ok\"\n"
	"w/I/7/1 @50 r\n  1#0 done 1@70 250 ok\n"},
{"queue: dropped while it was being sent",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 started\n"
	"enqueue a w/I/7 1 0 work 1 bytes\ncommit\n"
	"queue 1 dropped 1 0 70 by hand\ncommit\n"
	"queue 1 waiting 1 0 71\ncommit\n?next work\n"
	"queue 1 sent 1 0 72 250 ok\ncommit\n?history - - - 0 0\n",
	"nothing\nw/I/7/1 @50 r\n  1#0 done 1@72 250 ok\n"},

/* Keys. */
{"key: a second item is not added, its effect is skipped",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 started\n"
	"enqueue k w/I/7 1 0 work 1 one\ncommit\n"
	"message w/I/8 9 60 r\neffect w/I/8 9 0 planned\ncommit\n"
	"set w/I/8 9 0 started 4 61 queued\nenqueue k w/I/8 9 0 work 2 two\n"
	"commit\n?queued -\n?next work\n?history - - - 0 0\n",
	"1 k w/I/7/1#0 work waiting 0@1\n"
	"1 k w/I/7/1#0 work waiting 0@1 <one>\n"
	"w/I/8/9 @60 r\n  9#0 skipped 4@20 forwarded already\n"
	"w/I/7/1 @50 r\n  1#0 started 1@10 as planned\n"},
{"key: twice in one batch",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 started\n"
	"effect w/I/7 1 1 started\nenqueue k w/I/7 1 0 work 1 one\n"
	"enqueue k w/I/7 1 1 work 1 two\ncommit\n?queued -\n?open w/I/0\n",
	"1 k w/I/7/1#0 work waiting 0@1\n[Annr] 1#0 started 1@10 as planned\n"},
{"key: also when the first was sent long ago",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 started\n"
	"enqueue k w/I/7 1 0 work 1 one\nqueue 1 sent 1 0 60 ok\ncommit\n"
	"message w/I/7 2 70 r\neffect w/I/7 2 0 started\n"
	"enqueue k w/I/7 2 0 work 1 two\ncommit\n?next work\n?open w/I/0\n"
	"?history - - - 70 0\n",
	"nothing\nw/I/7/2 @70 r\n  2#0 skipped 1@20 forwarded already\n"},
{"key: the same item again is no second one",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 started\n"
	"enqueue k w/I/7 1 0 work 1 one\ncommit\n"
	"enqueue k w/I/7 1 0 work 9 two\ncommit\n?next work\n?open w/I/0\n",
	"1 k w/I/7/1#0 work waiting 0@1 <one>\n"
	"[Annr] 1#0 started 1@10 as planned\n"},
{"key: the same item again, which was sent meanwhile",
	"message w/I/7 1 50 r\neffect w/I/7 1 0 started\n"
	"enqueue k w/I/7 1 0 work 1 one\ncommit\nqueue 1 sent 1 0 60 ok\n"
	"commit\nset w/I/7 1 0 started 1 65 queued\n"
	"enqueue k w/I/7 1 0 work 9 two\ncommit\n?next work\n"
	"?history - - - 0 0\n",
	"nothing\nw/I/7/1 @50 r\n  1#0 done 1@60 ok\n"},

/* Hits and facts. */
{"hits: by time, since",
	"hit b 20\nhit a 10\nhit c 20\nhit b 30\nhit b 30\ncommit\n?hits 20\n",
	"b@20\nc@20\nb@30\nb@30\n"},
{"facts: set, and set again",
	"fact work idle 29m\nfact work port 993\nfact home idle 9m\ncommit\n"
	"fact work idle 15m\ncommit\n?fact work idle\n?fact work port\n"
	"?fact home idle\n?fact home port\n",
	"15m\n993\n9m\nno fact\n"},
{"fact: forgotten, that one only, and set again",
	"fact work idle 29m\nfact work port 993\nfact home idle 9m\ncommit\n"
	"nofact work idle\nnofact work never\ncommit\n"
	"?fact work idle\n?fact work port\n?fact home idle\n"
	"nofact work port\nfact work port 143\ncommit\n?fact work port\n",
	"no fact\n993\n9m\n143\n"},
{"facts: an empty one is there",
	"fact work idle\ncommit\n?fact work idle\n",
	"\n"},

/* What rules did. */
{"stats: a hit counts, and keeps the latest time",
	"hit b 20\nhit a 10\nhit b 40\ncommit\nhit b 30\ncommit\n?stats\n",
	"a hits 1@10 observed 0 limited 0 time 0/0 since 10\n"
	"b hits 3@40 observed 0 limited 0 time 0/0 since 20\n"},
{"stats: times are added up",
	"time a 2 700 50\ncommit\ntime a 1 4000000000 60\nhit a 61\ncommit\n"
	"?stats\n",
	"a hits 1@61 observed 0 limited 0 time 4000000700/3 since 50\n"},
{"stats: a rule is heard of before it does anything",
	"stat a 0 0 5\ncommit\n?stats\nstat a 0 0 9\nhit a 7\ncommit\n"
	"?stats\n",
	"a hits 0@0 observed 0 limited 0 time 0/0 since 5\n"
	"a hits 1@7 observed 0 limited 0 time 0/0 since 5\n"},
{"stats: what it would have done",
	"stat a 1 0 5\nstat a 0 1 6\nstat a 1 0 7\ncommit\n?stats\n?hits 0\n",
	"a hits 0@0 observed 2 limited 1 time 0/0 since 5\n"},
{"stats: forgotten, and heard of again; its hits stay",
	"hit a 20\nstat b 1 1 20\ncommit\nforget a\nforget nobody\ncommit\n"
	"?stats\n?hits 0\nstat a 0 0 30\ncommit\n?stats\n",
	"b hits 0@0 observed 1 limited 1 time 0/0 since 20\na@20\n"
	"a hits 0@0 observed 0 limited 0 time 0/0 since 30\n"
	"b hits 0@0 observed 1 limited 1 time 0/0 since 20\n"},

/* Senders. */
{"senders: the last to write first, then by address",
	"sender w 20 b@x\nsender w 30 c@x\nsender w 20 a@x\nsender v 50 d@x\n"
	"commit\n?senders w\n?senders v\n?senders u\n",
	"c@x@30\na@x@20\nb@x@20\nd@x@50\n"},
{"senders: renewed, never made older",
	"sender w 20 a@x\nsender w 30 b@x\ncommit\nsender w 40 a@x\n"
	"sender w 10 b@x\ncommit\n?senders w\n",
	"a@x@40\nb@x@30\n"},
{"senders: whatever the case of their letters",
	"sender w 20 Ann@Example.ORG\nsender w 30 ann@example.org\n"
	"sender w 10 Ä@x\ncommit\n?senders w\n",
	"ann@example.org@30\nÄ@x@10\n"},
{"senders: not without an address",
	"sender w 20\ncommit\n?senders w\n",
	""},

/* Prune. */
{"prune: older messages and their effects",
	"message w/I/7 1 49 r\nmessage w/I/7 2 50 r\neffect w/I/7 1 0 done\n"
	"effect w/I/7 1 1 unknown\neffect w/I/7 2 0 done\ncommit\nprune 50\n"
	"?history - - - 0 0\nmessage w/I/7 1 70 again\ncommit\n"
	"?history - - - 60 0\n",
	"w/I/7/2 @50 r\n  2#0 done 1@10 as planned\nw/I/7/1 @70 again\n"},
{"prune: effects go with their message, however late they ended",
	"message w/I/7 1 49 r\neffect w/I/7 1 0 planned\ncommit\n"
	"set w/I/7 1 0 done 1 500 moved\ncommit\nprune 50\n"
	"message w/I/7 1 60 again\ncommit\n?history - - - 0 0\n",
	"w/I/7/1 @60 again\n"},
{"prune: open effects keep their message",
	"message w/I/7 1 1 r\nmessage w/I/7 2 1 r\neffect w/I/7 1 0 done\n"
	"effect w/I/7 1 1 planned\neffect w/I/7 2 0 started\n"
	"effect w/J/7 5 0 planned\nmessage w/K/7 5 1 r\ncommit\n"
	"prune 50\n?history - - - 0 0\n?open w/J/0\n",
	"w/I/7/2 @1 r\n  2#0 started 1@10 as planned\n"
	"w/I/7/1 @1 r\n  1#0 done 1@10 as planned\n"
	"  1#1 planned 1@10 as planned\n"
	"[] 5#0 planned 1@10 as planned\n"},
{"prune: waiting, sending, held and failed items keep their message",
	"message w/I/7 1 1 r\nmessage w/I/7 2 1 r\nmessage w/I/7 3 1 r\n"
	"message w/I/7 4 1 r\nmessage w/I/7 5 1 r\nmessage w/I/7 6 1 r\n"
	"enqueue 1 w/I/7 1 0 work 1 x\nenqueue 2 w/I/7 2 0 work 1 x\n"
	"enqueue 3 w/I/7 3 0 work 1 x\nenqueue 4 w/I/7 4 0 work 1 x\n"
	"enqueue 5 w/I/7 5 0 work 1 x\nenqueue 6 w/I/7 6 0 work 1 x\n"
	"queue 2 sending 1 0 2\nqueue 3 held 1 0 2\nqueue 4 failed 1 0 2\n"
	"queue 5 sent 1 0 2\nqueue 6 dropped 1 0 2\ncommit\nprune 50\n"
	"?history - - - 0 0\n",
	"w/I/7/4 @1 r\nw/I/7/3 @1 r\nw/I/7/2 @1 r\nw/I/7/1 @1 r\n"},
{"prune: effects without a message go by their own time",
	"effect w/I/7 1 0 done\neffect w/I/7 2 0 done\ncommit\n"
	"set w/I/7 2 0 done 1 60 late\ncommit\nprune 50\n"
	"message w/I/7 1 70 r\nmessage w/I/7 2 70 r\ncommit\n"
	"?history - - - 0 0\n",
	"w/I/7/2 @70 r\n  2#0 done 1@60 late\nw/I/7/1 @70 r\n"},
{"prune: hits",
	"hit a 49\nhit b 50\ncommit\nprune 50\n?hits 0\n",
	"b@50\n"},
{"prune: keys stay 30 days more, from when it was sent",
	"enqueue k w/I/7 1 0 work 1 x\nqueue 1 sent 1 0 1000 ok\n"
	"enqueue l w/I/7 2 0 work 1 x\nqueue 2 dropped 1 0 1001\ncommit\n"
	"prune 2593000\n?queued -\nprune 2593001\n?queued -\n",
	"1 k w/I/7/1#0 work sent 1@0 \"ok\"\n"
	"2 l w/I/7/2#0 work dropped 1@0\n"
	"2 l w/I/7/2#0 work dropped 1@0\n"},
{"prune: dead letters stay, whatever their age",
	"enqueue a w/I/7 1 0 work 1 x\nenqueue b w/I/7 1 1 work 1 y\n"
	"queue 1 failed 1 0 2 no\nqueue 2 held 1 0 2\ncommit\n"
	"prune 9999999999\n?queued -\nqueue 1 waiting 0 5 5\ncommit\n"
	"?next work\n",
	"1 a w/I/7/1#0 work failed 1@0 \"no\"\n2 b w/I/7/1#1 work held 1@0\n"
	"1 a w/I/7/1#0 work waiting 0@5 <x>\n"},
{"prune: an id is never given twice",
	"enqueue k w/I/7 1 0 work 1 x\nqueue 1 sent 1 0 1 ok\ncommit\n"
	"prune 9999999999\nenqueue k w/I/7 1 0 work 1 y\ncommit\n"
	"queue 1 sent 1 0 5 late\ncommit\n?next work\n",
	"2 k w/I/7/1#0 work waiting 0@1 <y>\n"},
{"prune: cursors, facts, senders and stats stay",
	"cursor w/I/7 9 0\nfact w idle 9m\nsender w 5 a@x\nhit r 5\ncommit\n"
	"prune 9999999999\n"
	"?cursor w/I/0\n?fact w idle\n?senders w\n?stats\n?hits 0\n",
	"w/I/7 next 9 modseq 0\n9m\na@x@5\n"
	"r hits 1@5 observed 0 limited 0 time 0/0 since 5\n"},
{"forget: a mailbox, its cursor and its last run, and of no other",
	"cursor w/I/7 9 0\ncursor w/J/7 9 0\ncursor v/I/7 9 0\n"
	"apply w/I/7 2 done 5 5\napply w/J/7 2 done 5 5\n"
	"apply v/I/7 2 done 5 5\nfact w old 5\nsender w 5 a@x\ncommit\n"
	"?needed w/I\nnomailbox w/I/0\ncommit\n?cursors w\n?cursors v\n"
	"?applies -\n?fact w old\n?senders w\n",
	"not needed\nw/J/7 next 9\nv/I/7 next 9\n"
	"v/I/7 run 2 done 5 to 5\nw/J/7 run 2 done 5 to 5\n5\na@x@5\n"},
{"forget: no mailbox of which there is history",
	"cursor w/I/7 9 0\napply w/I/7 2 done 5 5\nmessage w/I/6 1 60 r\n"
	"commit\n?needed w/I\n?needed w\nnomailbox w/I/0\nnoaccount w\n"
	"commit\n?cursors w\n?applies w\nprune 61\nnomailbox w/I/0\ncommit\n"
	"?cursors w\n?applies w\n",
	"needed\nneeded\nw/I/7 next 9\nw/I/7 run 2 done 5 to 5\n"},
{"forget: no mailbox with an effect, a forward or a run",
	"cursor w/I/7 9 0\ncursor w/J/7 9 0\ncursor w/K/7 9 0\n"
	"effect w/I/7 1 0 planned\nenqueue k w/J/7 1 0 v 1 x\n"
	"apply w/K/7 2 running 5 9\ncommit\n"
	"?needed w/I\n?needed w/J\n?needed w/K\n?needed w\n"
	"nomailbox w/I/0\nnomailbox w/J/0\nnomailbox w/K/0\nnoaccount w\n"
	"commit\n?cursors w\n",
	"needed\nneeded\nneeded\nneeded\n"
	"w/I/7 next 9\nw/J/7 next 9\nw/K/7 next 9\n"},
{"forget: a mailbox whose forward was sent",
	"cursor w/J/7 9 0\nenqueue k w/J/7 1 0 v 1 x\ncommit\n"
	"queue 1 failed 1 0 5 no\ncommit\n?needed w/J\n?needed v\n"
	"queue 1 sent 1 0 5 ok\ncommit\n?needed w/J\n?needed v\n"
	"nomailbox w/J/0\ncommit\n?cursors w\n?queued -\n",
	"needed\nneeded\nnot needed\nnot needed\n"
	"1 k w/J/7/1#0 v sent 1@0 \"ok\"\n"},
{"forget: an account, all of it and of no other",
	"cursor w/I/7 9 0\napply w/K/7 2 running 5 9\nfact w old 5\n"
	"sender w 5 a@x\ncursor ww/I/7 9 0\napply ww/I/7 2 done 5 5\n"
	"fact ww old 5\nsender ww 5 a@x\nhit r 5\ncommit\n"
	"?needed w\nnoaccount w\ncommit\n?cursors w\n?applies -\n?fact w old\n"
	"?senders w\n?cursors ww\n?fact ww old\n?senders ww\n?hits 0\n",
	"not needed\nww/I/7 run 2 done 5 to 5\nno fact\nww/I/7 next 9\n5\n"
	"a@x@5\nr@5\n"},
{"accounts: of cursors, runs, facts and senders, each once",
	"cursor d/I/7 9 0\ncursor a/I/7 9 0\napply b/I/7 2 done 5 5\n"
	"fact c x 5\nfact a x 5\nsender e 5 a@x\nsender a 5 a@x\n"
	"message f/I/7 1 5 r\ncommit\n?accounts\n",
	"a;b;c;d;e;\n"},
{"message: by its key",
	"message w/I/7 1 50 r\nmessage w/I/7 2 51 s\nmessage w/J/7 1 52 t\n"
	"message v/I/7 1 53 u\neffect w/I/7 1 0 done\neffect w/I/7 2 0 done\n"
	"commit\n?message w/I/7 1\n?message w/I/7 3\n?message w/I/8 1\n"
	"?message w/J/7 1\n",
	"w/I/7/1 @50 r\n  1#0 done 1@10 as planned\nw/J/7/1 @52 t\n"},
/* clang-format on */
