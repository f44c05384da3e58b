/*
 * test-notify-queue: what is shown when.
 *
 * A script is words: what comes in; the trace is what goes out.
 *
 *	up down		the notifier is there, or away
 *	few		it is there, and shows two singles well
 *	+N		N milliseconds pass, with a tick
 *	nN cN lN	adds UID N: normal, critical, low
 *	s		adds one that is no message
 *	burst=N		adds N normal ones, UIDs from 100, before any turn
 *	quiet loud	quiet hours begin, end
 *	keep		it keeps for ten seconds
 *	busy idle	the caller takes no requests, takes them again
 *	shown=ID failed=ID closed=ID action=ID	answers
 *	ok		answers `shown` to all that is asked
 *	read=UID	withdraws
 *	deadline	writes how many milliseconds are left
 *	waiting		writes how many have not come out
 *	would would-critical	writes whether one would be shown by itself
 *	returns		what is lost is shown again
 *	keeps		it is away, and what it shows stays
 *	private		from now on only numbers are shown
 *	list=ID		writes the UIDs behind it
 *	old=UID gone=UID	was shown in an earlier life, at the place
 *"pUID"; gone: it has expired more=UID	another one of the last of these
 *	again=UID	what is left of these is shown again
 *	place=ID	answers `shown` with the place "here"
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "notifiers/queue.h"

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))
#define ASKED_MAX 64
#define START_USEC (1000 * USEC_SEC)

struct play {
	struct notify_queue *queue;
	usec_t now;
	bool is_busy;
	uint64_t asked[ASKED_MAX]; /* for `ok` */
	size_t asked_count;
	uint64_t earlier; /* request that was restored last */
	struct buf trace;
};

static const struct {
	const char *name, *script, *trace;
} cases[] = {
    {"a single one rings at once", "up n1 shown=1",
	"notify 1 <T1|B1>\n"
	"1 shown\n"},
    {"nothing before the notifier is there", "n1 deadline up ok",
	"never\n"
	"notify 1 <T1|B1>\n"
	"1 shown\n"},
    {"five at once, the sixth at the end of the window",
	"up n1 n2 n3 n4 n5 n6 ok deadline +2999 +1 ok",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\nnotify 3 <T3|B3>\n"
	"notify 4 <T4|B4>\nnotify 5 <T5|B5>\n"
	"1 shown\n2 shown\n3 shown\n4 shown\n5 shown\n"
	"3000 ms\n"
	"notify 6 <T6|B6>\n6 shown\n"},
    {"what exceeds twice five is one summary",
	"up n1 n2 n3 n4 n5 n6 n7 n8 n9 n10 n11 ok +3000 ok",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\nnotify 3 <T3|B3>\n"
	"notify 4 <T4|B4>\nnotify 5 <T5|B5>\n"
	"1 shown\n2 shown\n3 shown\n4 shown\n5 shown\n"
	"notify 12 <6 new messages in work|T11: B11/T10: B10/T9: B9/"
	"T8: B8/T7: B7/and 1 more>\n"
	"6 summarised\n7 summarised\n8 summarised\n9 summarised\n"
	"10 summarised\n11 summarised\n"},
    {"the newest of a summary is not who came last",
	"up n1 n2 n3 n4 n5 n7 n8 n9 n10 n11 n12 n6 ok +3000 ok",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\nnotify 3 <T3|B3>\n"
	"notify 4 <T4|B4>\nnotify 5 <T5|B5>\n"
	"1 shown\n2 shown\n3 shown\n4 shown\n5 shown\n"
	"notify 13 <7 new messages in work|T12: B12/T11: B11/T10: B10/"
	"T9: B9/T8: B8/and 2 more>\n"
	"12 summarised\n6 summarised\n7 summarised\n8 summarised\n"
	"9 summarised\n10 summarised\n11 summarised\n"},
    {"many at once are one summary at once", "up burst=6 shown=7",
	"notify 7 <6 new messages in work|T105: B105/T104: B104/"
	"T103: B103/T102: B102/T101: B101/and 1 more>\n"
	"1 summarised\n2 summarised\n3 summarised\n4 summarised\n"
	"5 summarised\n6 summarised\n"},
    {"the window behind a summary is closed", "up burst=6 ok n1 deadline",
	"notify 7 <6 new messages in work|T105: B105/T104: B104/"
	"T103: B103/T102: B102/T101: B101/and 1 more>\n"
	"1 summarised\n2 summarised\n3 summarised\n4 summarised\n"
	"5 summarised\n6 summarised\n"
	"3000 ms\n"},
    {"windows of a flood grow",
	"up burst=6 burst=6 deadline +3000 burst=6 deadline +6000 burst=6 "
	"deadline +12000 burst=6 deadline",
	"notify 7 <6 new messages in work|*>\n"
	"3000 ms\n"
	"notify 14 <6 new messages in work|*>\n"
	"6000 ms\n"
	"notify 21 <6 new messages in work|*>\n"
	"12000 ms\n"
	"notify 28 <6 new messages in work|*>\n"
	"12000 ms\n"},
    {"a flood of before is forgotten",
	"up burst=6 +7000 burst=6 burst=6 deadline",
	"notify 7 <6 new messages in work|*>\n"
	"notify 14 <6 new messages in work|*>\n"
	"3000 ms\n"},
    {"after a window in silence one rings at once", "up burst=6 +3000 n1",
	"notify 7 <6 new messages in work|*>\n"
	"notify 8 <T1|B1>\n"},
    {"whether one would be shown by itself, with all it says",
	"up would quiet would would-critical loud n1 n2 n3 n4 would n5 would "
	"would-critical n6 +3000 +3000 would private would would-critical",
	"would\nwould not\nwould\n"
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\nnotify 3 <T3|B3>\n"
	"notify 4 <T4|B4>\nwould\nnotify 5 <T5|B5>\n"
	"would not\nwould\nnotify 6 <T6|B6>\nwould\n"
	"would not\nwould not\n"},
    {"while the notifier is away, one of a few would",
	"would n1 n2 n3 n4 would n5 would would-critical quiet",
	"would\nwould\nwould not\nwould\n"},
    {"critical is not merged", "up burst=6 c1 l2 c3",
	"notify 7 <6 new messages in work|*>\n"
	"notify 8 <T1|B1> critical\n"
	"notify 10 <T3|B3> critical\n"},
    {"few are shown well: of five they are two and a summary",
	"few n1 n2 n3 n4 n5 +3000",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\n"
	"notify 6 <3 new messages in work|T5: B5/T4: B4/T3: B3>\n"},
    {"few are shown well: two more are a summary", "few n1 n2 n3 n4 +3000",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\n"
	"notify 5 <2 new messages in work|T4: B4/T3: B3>\n"},
    {"few are shown well: one more has room", "few n1 n2 n3 +3000",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\nnotify 3 <T3|B3>\n"},
    {"few are shown well: what waited for it", "n1 n2 n3 few",
	"notify 4 <3 new messages in work|T3: B3/T2: B2/T1: B1>\n"},
    {"critical comes first", "n1 n2 c3 up",
	"notify 3 <T3|B3> critical\n"
	"notify 1 <T1|B1>\n"
	"notify 2 <T2|B2>\n"},
    {"critical is not in the summary", "burst=6 c1 up",
	"notify 7 <T1|B1> critical\n"
	"notify 8 <6 new messages in work|*>\n"},
    {"not only messages", "burst=5 s up", "notify 7 <6 notifications|*>\n"},
    {"away: twenty are kept, the others counted", "burst=23 up ok",
	"1 gone: too many notifications waited; a summary counts it\n"
	"2 gone: too many notifications waited; a summary counts it\n"
	"3 gone: too many notifications waited; a summary counts it\n"
	"notify 24 <23 new messages in work|T122: B122/T121: B121/"
	"T120: B120/T119: B119/T118: B118/and 18 more>\n"
	"4 summarised\n5 summarised\n6 summarised\n7 summarised\n"
	"8 summarised\n9 summarised\n10 summarised\n11 summarised\n"
	"12 summarised\n13 summarised\n14 summarised\n15 summarised\n"
	"16 summarised\n17 summarised\n18 summarised\n19 summarised\n"
	"20 summarised\n21 summarised\n22 summarised\n23 summarised\n"},
    {"away: critical outlives others", "c1 burst=20 up",
	"2 gone: too many notifications waited; a summary counts it\n"
	"notify 1 <T1|B1> critical\n"
	"notify 22 <20 new messages in work|*>\n"},
    {"asked and then away: asked again, in order", "up n1 n2 down n3 up ok",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\n"
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\nnotify 3 <T3|B3>\n"
	"1 shown\n2 shown\n3 shown\n"},
    {"a summary that was asked comes again, with the newer",
	"up burst=6 down n200 up +3000 ok",
	"notify 7 <6 new messages in work|*>\n"
	"notify 9 <7 new messages in work|*>\n"
	"1 summarised\n2 summarised\n3 summarised\n4 summarised\n"
	"5 summarised\n6 summarised\n8 summarised\n"},
    {"the lost of a summary are counted again", "burst=21 up down up +3000",
	"1 gone: too many notifications waited; a summary counts it\n"
	"notify 22 <21 new messages in work|*>\n"
	"notify 23 <21 new messages in work|*>\n"},
    {"an unavailable notifier says so itself", "ready n1 unavailable ready",
	"notify 1 <T1|B1>\n"
	"notify 1 <T1|B1>\n"},
    {"refused", "up n1 failed=1", "notify 1 <T1|B1>\n1 gone: why\n"},
    {"refused without a reason", "up n1 failed-mute=1",
	"notify 1 <T1|B1>\n1 gone: the notifier refused it\n"},
    {"a refused summary", "up burst=6 failed=7",
	"notify 7 <6 new messages in work|*>\n"
	"1 gone: why\n2 gone: why\n3 gone: why\n4 gone: why\n5 gone: why\n"
	"6 gone: why\n"},
    {"never answered", "up n1 deadline +59999 deadline +1 deadline shown=1",
	"notify 1 <T1|B1>\n"
	"60000 ms\n"
	"1 ms\n"
	"1 gone: the notifier did not answer\n"
	"never\n"},
    {"answers to what was not asked",
	"up shown=1 failed=1 closed=1 action=1 n1 shown=1 shown=1 failed=1",
	"notify 1 <T1|B1>\n1 shown\n"},
    {"closed without shown was seen", "up n1 closed=1 read=1",
	"notify 1 <T1|B1>\n1 shown\n"},
    {"an action settles nothing", "up n1 action=1 waiting",
	"notify 1 <T1|B1>\n1 waiting\n"},
    {"withdrawn while it waits", "n1 n2 read=1 up",
	"1 withdrawn\nnotify 2 <T2|B2>\n"},
    {"withdrawn while it is asked", "up n1 read=1 shown=1 waiting",
	"notify 1 <T1|B1>\nclose 1\n1 withdrawn\n0 waiting\n"},
    {"withdrawn when it is shown", "up n1 shown=1 read=1 read=1",
	"notify 1 <T1|B1>\n1 shown\nclose 1\n"},
    {"what is dismissed needs no closing", "up n1 shown=1 closed=1 read=1",
	"notify 1 <T1|B1>\n1 shown\n"},
    {"a restarted notifier has nothing to close",
	"up n1 shown=1 down up read=1", "notify 1 <T1|B1>\n1 shown\n"},
    {"a summary is closed with its last",
	"up burst=6 ok read=100 read=101 read=102 read=103 read=104 waiting "
	"read=105",
	"notify 7 <6 new messages in work|*>\n"
	"1 summarised\n2 summarised\n3 summarised\n4 summarised\n"
	"5 summarised\n6 summarised\n"
	"0 waiting\n"
	"close 7\n"},
    {"one of an asked summary is withdrawn", "up burst=6 read=102 ok",
	"notify 7 <6 new messages in work|*>\n"
	"3 withdrawn\n"
	"1 summarised\n2 summarised\n4 summarised\n5 summarised\n"
	"6 summarised\n"},
    {"the count of the lost goes with the last", "burst=21 read-all up n1",
	"1 gone: too many notifications waited; a summary counts it\n"
	"*withdrawn\n"
	"notify 22 <T1|B1>\n"},
    {"what has no UID is not withdrawn", "up s shown=1 read=0",
	"notify 1 <T0|B0>\n1 shown\n"},
    {"a slow caller finds them merged", "up busy n1 n2 n3 n4 n5 n6 idle",
	"notify 7 <6 new messages in work|*>\n"},
    {"a slow caller has no timer that is over",
	"up burst=6 ok busy n1 +3000 deadline idle",
	"notify 7 <6 new messages in work|*>\n"
	"1 summarised\n2 summarised\n3 summarised\n4 summarised\n"
	"5 summarised\n6 summarised\n"
	"never\n"
	"notify 8 <T1|B1>\n"},
    {"texts that only count are forgotten, the count is not",
	"up burst=6 burst=30 read-new +3000",
	"notify 7 <6 new messages in work|*>\n"
	"*withdrawn\n"
	"notify 38 <10 new messages in work|>\n"},
    {"few that only count are not shown one by one",
	"up burst=6 ok burst=30 read-new read=103 read=104 read=105 read=106 "
	"read=107 read=108 read=109 +3000",
	"notify 7 <6 new messages in work|*>\n"
	"*summarised\n"
	"*withdrawn\n"
	"notify 38 <3 new messages in work|>\n"},
    {"unanswered ones are bounded",
	"up c1 c2 c3 c4 c5 c6 c7 c8 c9 c10 c11 c12 c13 c14 c15 c16 c17 c18 "
	"c19 c20 c21 waiting shown=1",
	"*critical\n21 waiting\nnotify 21 <T21|B21> critical\n1 shown\n"},
    {"what is on a lost screen is shown again, without a second outcome",
	"returns up n1 n2 ok closed=2 down n3 up ok waiting",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\n1 shown\n2 shown\n"
	"notify 1 <T1|B1>\nnotify 3 <T3|B3>\n3 shown\n0 waiting\n"},
    {"what was read meanwhile is not shown again",
	"returns up n1 n2 ok down read=1 up ok",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\n1 shown\n2 shown\n"
	"notify 2 <T2|B2>\n"},
    {"many of a lost screen are one summary",
	"returns up n1 n2 n3 n4 n5 ok +3000 n6 ok down up +3000",
	"*>\n*shown\nnotify 6 <T6|B6>\n6 shown\n"
	"notify 7 <6 new messages in work|*>\n"},
    {"a summary of a lost screen is counted again",
	"returns up burst=6 ok down read=100 up +3000",
	"notify 7 <6 new messages in work|*>\n*summarised\n"
	"notify 2 <T101|B101>\nnotify 3 <T102|B102>\n*>\n"},
    {"what a stalled one shows stays", "returns up n1 ok keeps n2 up read=1 ok",
	"notify 1 <T1|B1>\n1 shown\nnotify 2 <T2|B2>\nclose 1\n2 shown\n"},
    {"stalled, and then gone", "returns up n1 ok keeps unavailable up",
	"notify 1 <T1|B1>\n1 shown\nnotify 1 <T1|B1>\n"},
    {"stalled, and then its process ended", "returns up n1 ok keeps down up",
	"notify 1 <T1|B1>\n1 shown\nnotify 1 <T1|B1>\n"},
    {"what expired on a screen is still withdrawn",
	"returns up n1 n2 ok expired=1 expired=2 read=1",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\n1 shown\n2 shown\nclose 1\n"},
    {"what expired does not come back", "returns up n1 ok expired=1 down up n2",
	"notify 1 <T1|B1>\n1 shown\nnotify 2 <T2|B2>\n"},
    {"what expired where there is no screen is closed",
	"up n1 ok expired=1 read=1", "notify 1 <T1|B1>\n1 shown\n"},
    {"private: after it expired it counts anew",
	"returns private up n1 ok expired=2 +3000 n2",
	"notify 2 <New message in work|>\n1 shown\n"
	"notify 4 <New message in work|>\n"},
    {"private: nothing but the number", "private up n1 ok n2 n3 +3000 ok",
	"notify 2 <New message in work|>\n1 shown\n"
	"notify 2 <3 new messages in work|>\n"
	"3 summarised\n4 summarised\n"},
    {"private: closed with the last",
	"private up n1 n2 ok +3000 ok read=1 read=2",
	"notify 2 <New message in work|>\n1 shown\n"
	"notify 2 <2 new messages in work|>\n"
	"3 summarised\nclose 2\n"},
    {"private: after a dismissal it counts anew",
	"private up n1 ok closed=2 +3000 n2",
	"notify 2 <New message in work|>\n1 shown\n"
	"notify 4 <New message in work|>\n"},
    {"private: a critical one says no more", "private up c1",
	"notify 1 <New message in work|> critical\n"},
    {"private: not what Belfry itself says", "private up s",
	"notify 1 <T0|B0>\n"},
    {"what is behind it", "up n1 shown=1 burst=6 list=1 +3000 list=8 list=9",
	"notify 1 <T1|B1>\n1 shown\n"
	"notify 8 <6 new messages in work|*>\n"
	"1 <1@x>\n105 <105@x>\n104 <104@x>\n103 <103@x>\n102 <102@x>\n"
	"101 <101@x>\n100 <100@x>\n"},
    {"away for too long", "keep up n1 down +5000 n2 +4999 +1 up",
	"notify 1 <T1|B1>\n1 gone: the notifier was away for too long\n"
	"notify 2 <T2|B2>\n"},
    {"away for long, and nobody minds", "n1 +999999 up", "notify 1 <T1|B1>\n"},
    {"quiet for long is not away", "keep quiet n1 +20000 up loud",
	"notify 1 <T1|B1>\n"},
    {"quiet: all wait, and are one summary then",
	"up quiet n1 +3600000 n2 deadline waiting loud ok deadline",
	"never\n2 waiting\n"
	"notify 3 <2 new messages in work|T2: B2/T1: B1>\n"
	"1 summarised\n2 summarised\nnever\n"},
    {"quiet: critical breaks through", "up quiet n1 c2 l3 loud",
	"notify 2 <T2|B2> critical\n"
	"notify 4 <2 new messages in work|T3: B3/T1: B1>\n"},
    {"quiet: what was read meanwhile is not in the summary",
	"up quiet n1 n2 n3 read=2 loud",
	"2 withdrawn\n"
	"notify 4 <2 new messages in work|T3: B3/T1: B1>\n"},
    {"quiet: a single one left rings as such", "up quiet n1 n2 read=1 loud n3",
	"1 withdrawn\nnotify 2 <T2|B2>\nnotify 3 <T3|B3>\n"},
    {"quiet: nothing left, and the next ones ring one by one",
	"up quiet n1 n2 read=1 read=2 loud n3 n4",
	"1 withdrawn\n2 withdrawn\n"
	"notify 3 <T3|B3>\nnotify 4 <T4|B4>\n"},
    {"quiet: many are all kept, and can be read",
	"up quiet burst=30 read=100 read=129 loud",
	"1 withdrawn\n30 withdrawn\n"
	"notify 31 <28 new messages in work|*>\n"},
    {"quiet ends while the notifier is away",
	"quiet burst=30 loud n1 deadline up",
	"never\nnotify 32 <31 new messages in work|*>\n"},
    {"quiet: what was asked is still answered and withdrawn",
	"up n1 quiet ok read=1", "notify 1 <T1|B1>\n1 shown\nclose 1\n"},
    {"quiet begins while some wait for the window",
	"up burst=6 ok n1 quiet deadline +3000 loud",
	"notify 7 <6 new messages in work|*>\n"
	"*summarised\nnever\nnotify 8 <T1|B1>\n"},
    {"of an earlier life: read, it is closed where it is",
	"old=1 gone=2 read=1 up read=2 read=3", "close 1 p1\nclose 3 p2\n"},
    {"of an earlier life: shown again, and the old one closed",
	"old=1 up again=1 ok again=1 read=1",
	"again\nnotify 3 <T1|B1>\nclose 1 p1\nno\nclose 3\n"},
    {"of an earlier life: not before the notifier is there",
	"old=1 again=1 waiting up",
	"again\n0 waiting\nnotify 3 <T1|B1>\nclose 1 p1\n"},
    {"of an earlier life: read before the notifier is there",
	"old=1 again=1 read=1 waiting up", "again\n0 waiting\nclose 1 p1\n"},
    {"of an earlier life: what expired is not shown again", "gone=1 up again=1",
	"no\n"},
    {"of an earlier life: a summary goes with its last",
	"up old=1 more=2 again=1 again=2",
	"again\nnotify 4 <T1|B1>\nagain\nnotify 5 <T2|B2>\nclose 1 p1\n"},
    {"of an earlier life: many become a summary",
	"old=1 old=2 old=3 old=4 old=5 old=6 again=1 again=2 again=3 again=4 "
	"again=5 again=6 up ok waiting",
	"again\nagain\nagain\nagain\nagain\nagain\n"
	"notify 19 <6 new messages in work|*>\n"
	"close 1 p1\nclose 3 p2\nclose 5 p3\nclose 7 p4\nclose 9 p5\n"
	"close 11 p6\n0 waiting\n"},
    {"of an earlier life: the old one stays as long as quiet hours are",
	"old=1 old=2 up quiet again=1 again=2 read=2 waiting loud",
	"again\nagain\nclose 3 p2\n0 waiting\n"
	"notify 5 <T1|B1>\nclose 1 p1\n"},
    {"of an earlier life: a service that goes takes nothing back",
	"returns old=1 up down up again=1",
	"again\nnotify 3 <T1|B1>\nclose 1 p1\n"},
    {"a program's place is known after it was started anew",
	"up n1 n2 place=1 shown=2 down up read=1 read=2",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\n1 shown\n2 shown\n"
	"close 1 here\n"},
    {"a program's place: read before it is started anew",
	"up n1 n2 place=1 place=2 down read=1 down up",
	"notify 1 <T1|B1>\nnotify 2 <T2|B2>\n1 shown\n2 shown\n"
	"close 1 here\n"},
    {"a program's place: a new number does not replace the old one",
	"private up n1 place=2 down up +3000 n2 place=4 read=1",
	"notify 2 <New message in work|>\n1 shown\n"
	"notify 4 <New message in work|>\n3 shown\nclose 2 here\n"},
    {"what expired is closed by a new helper, too",
	"returns up n1 place=1 expired=1 down up read=1",
	"notify 1 <T1|B1>\n1 shown\nclose 1 here\n"},
    {"what a lost program showed is closed where it hangs",
	"returns up n1 place=1 down up",
	"notify 1 <T1|B1>\n1 shown\nclose 1 here\nnotify 1 <T1|B1>\n"},
};

/* ---- The player ---- */

static void
fill(struct notification *n, uint32_t uid, enum urgency urgency)
{
	notification_init(n);
	n->account = xstrdup(uid != 0 ? "work" : "");
	n->mailbox = xstrdup("INBOX");
	n->uidvalidity = 9;
	n->uid = uid;
	n->urgency = urgency;
	n->title = xasprintf("T%u", uid);
	n->body = xasprintf("B%u", uid);
	n->message_id = xasprintf("<%u@x>", uid);
	n->url = xasprintf("mid:%u@x", uid);
	n->actions = xstrdup("default,read,archive,copy");
	n->code = xstrdup("123456");
	n->preview = xstrdup("P");
	n->icon = xstrdup("of-a-rule");
	n->sound = xstrdup("of-a-rule");
}

/* Of an earlier life; `request` 0: one of its own. */
static uint64_t
restore(struct play *play, uint32_t uid, uint64_t request, bool is_expired)
{
	STR_AUTO place = xasprintf("p%u", uid);
	struct notification n;

	fill(&n, uid, URGENCY_NORMAL);
	if (request == 0) {
		request = notify_queue_restore(play->queue, &n, 0);
		notify_queue_set_place(play->queue, request, place, is_expired);
	} else {
		notify_queue_restore(play->queue, &n, request);
	}
	notification_done(&n);
	return request;
}

static void
show_again(struct play *play, uint32_t uid)
{
	struct notification n;

	fill(&n, uid, URGENCY_NORMAL);
	buf_add_str(&play->trace,
	    notify_queue_return(play->queue, &n, play->now) ? "again\n"
							    : "no\n");
	notification_done(&n);
}

static uint64_t
add(struct play *play, uint32_t uid, enum urgency urgency)
{
	struct notification n;
	uint64_t id;

	fill(&n, uid, urgency);
	id = notify_queue_add(play->queue, &n, play->now);
	notification_done(&n);
	return id;
}

static void
trace_text(struct buf *trace, const char *text)
{
	for (; *text != '\0'; text++)
		buf_add_char(trace, *text == '\n' ? '/' : *text);
}

/* What may be done with it. */
static void
check_actions(const struct notification *n)
{
	bool is_private = strstr(n->title, "ew message") != NULL;
	bool is_many = is_private && n->title[0] != 'N';

	if (n->title[0] == '6' && strcmp(n->title, "6 notifications") == 0)
		return;
	assert_string_equal(n->actions, is_many ? "default,read-all"
					: is_private
					    ? "default,read,archive"
					    : "default,read,archive,copy");
	assert_string_equal(n->preview, is_private ? "" : "P");
}

/* Which message it is, a private one does not say; a summary leads to the
 * newest. */
static void
check_place(const struct notification *n)
{
	STR_AUTO own = xasprintf("mid:%u@x", n->uid);

	if (n->is_private) {
		assert_string_equal(n->message_id, "");
		assert_string_equal(n->url, "");
		assert_string_equal(n->mailbox, "");
		assert_string_equal(n->icon, NOTIFICATION_ICON);
		assert_string_equal(n->sound, NOTIFICATION_SOUND);
		assert_int_equal(n->uidvalidity, 0);
		assert_int_equal(n->uid, 0);
	} else if (n->uid != 0) {
		assert_string_equal(n->url, own);
	} else {
		assert_true(span_starts(span_from_str(n->url), "mid:"));
	}
}

static void
trace_request(struct play *play, const struct notifier_line *line)
{
	struct buf *trace = &play->trace;

	if (line->verb == NOTIFIER_CLOSE) {
		buf_addf(trace, "close %u%s%s\n", (unsigned)line->n.id,
		    line->place != NULL ? " " : "",
		    line->place != NULL ? line->place : "");
		return;
	}
	assert_true(line->verb == NOTIFIER_NOTIFY);
	assert_true(play->asked_count < ASKED_MAX);
	play->asked[play->asked_count++] = line->n.id;
	check_actions(&line->n);
	check_place(&line->n);
	buf_addf(trace, "notify %u <", (unsigned)line->n.id);
	trace_text(trace, line->n.title);
	buf_add_char(trace, '|');
	trace_text(trace, line->n.body);
	buf_addf(trace, ">%s\n",
	    line->n.urgency == URGENCY_CRITICAL ? " critical" : "");
}

static void
give_turn(struct play *play)
{
	static const char *const fates[] = {
	    "shown", "summarised", "gone", "withdrawn"};
	struct notifier_line line;
	struct notify_outcome outcome;

	while (!play->is_busy && notify_queue_next(play->queue, &line)) {
		trace_request(play, &line);
		notifier_line_done(&line);
	}
	while (notify_queue_outcome(play->queue, &outcome))
		buf_addf(&play->trace, "%u %s%s%s\n", (unsigned)outcome.id,
		    fates[outcome.fate], outcome.reason != NULL ? ": " : "",
		    outcome.reason != NULL ? outcome.reason : "");
}

static void
answer(
    struct play *play, enum notifier_verb verb, uint64_t id, const char *reason)
{
	struct notifier_line line = {.verb = verb};

	line.n.id = id;
	line.reason = xstrdup(reason);
	line.keeps = reason != NULL && strcmp(reason, "keeps") == 0;
	if (verb == NOTIFIER_SHOWN && reason != NULL)
		line.place = xstrdup(reason);
	notify_queue_answer(play->queue, &line, play->now);
	notifier_line_done(&line);
}

static void
be_ready(struct play *play, unsigned singles)
{
	const struct notifier_line line = {
	    .verb = NOTIFIER_READY, .singles = singles};

	notify_queue_answer(play->queue, &line, play->now);
}

static void
do_burst(struct play *play, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		add(play, 100 + i, URGENCY_NORMAL);
}

static void
withdraw(struct play *play, uint32_t uid)
{
	notify_queue_withdraw(play->queue, "work", "INBOX", 9, uid, play->now);
}

static void
do_read_all(struct play *play, uint32_t first)
{
	for (uint32_t uid = first; uid < 200; uid++)
		withdraw(play, uid);
}

static void
do_ok(struct play *play)
{
	for (size_t i = 0; i < play->asked_count; i++)
		answer(play, NOTIFIER_SHOWN, play->asked[i], NULL);
	play->asked_count = 0;
}

static void
do_would(struct play *play, enum urgency urgency)
{
	buf_addf(&play->trace, "would%s\n",
	    notify_queue_would_show(play->queue, urgency, play->now) ? ""
								     : " not");
}

static void
do_deadline(struct play *play)
{
	usec_t deadline = notify_queue_deadline(play->queue);

	if (deadline == USEC_NEVER)
		buf_add_str(&play->trace, "never\n");
	else
		buf_addf(&play->trace, "%u ms\n",
		    (unsigned)(usec_since(play->now, deadline) / USEC_MSEC));
}

static bool
do_answer(struct play *play, const char *word)
{
	static const struct {
		const char *name;
		enum notifier_verb verb;
		const char *reason;
	} answers[] = {
	    {"shown=", NOTIFIER_SHOWN, NULL},
	    {"place=", NOTIFIER_SHOWN, "here"},
	    {"failed=", NOTIFIER_FAILED, "why"},
	    {"failed-mute=", NOTIFIER_FAILED, NULL},
	    {"closed=", NOTIFIER_CLOSED, "dismissed"},
	    {"expired=", NOTIFIER_CLOSED, "expired"},
	    {"action=", NOTIFIER_ACTION, NULL},
	    {"ready", NOTIFIER_READY, NULL},
	    {"unavailable", NOTIFIER_UNAVAILABLE, "away"},
	    {"keeps", NOTIFIER_UNAVAILABLE, "keeps"},
	};

	for (size_t i = 0; i < LENGTH(answers); i++) {
		size_t len = strlen(answers[i].name);

		if (strncmp(word, answers[i].name, len) != 0)
			continue;
		answer(play, answers[i].verb, strtoul(word + len, NULL, 10),
		    answers[i].reason);
		return true;
	}
	return false;
}

static bool
do_simple(struct play *play, const char *word)
{
	if (strcmp(word, "few") == 0)
		be_ready(play, 2);
	else if (strcmp(word, "up") == 0)
		notify_queue_set_available(play->queue, true, play->now);
	else if (strcmp(word, "down") == 0)
		notify_queue_set_available(play->queue, false, play->now);
	else if (strcmp(word, "returns") == 0)
		notify_queue_set_returns(play->queue, true);
	else if (strcmp(word, "private") == 0)
		notify_queue_set_private(play->queue, true);
	else if (strcmp(word, "keep") == 0)
		notify_queue_set_keep(play->queue, 10 * USEC_SEC);
	else if (strcmp(word, "quiet") == 0)
		notify_queue_set_quiet(play->queue, true, play->now);
	else if (strcmp(word, "loud") == 0)
		notify_queue_set_quiet(play->queue, false, play->now);
	else if (strcmp(word, "busy") == 0)
		play->is_busy = true;
	else if (strcmp(word, "idle") == 0)
		play->is_busy = false;
	else if (strcmp(word, "s") == 0)
		add(play, 0, URGENCY_NORMAL);
	else if (strcmp(word, "ok") == 0)
		do_ok(play);
	else if (strcmp(word, "deadline") == 0)
		do_deadline(play);
	else if (strcmp(word, "waiting") == 0)
		buf_addf(&play->trace, "%zu waiting\n",
		    notify_queue_waiting(play->queue));
	else if (strcmp(word, "would") == 0)
		do_would(play, URGENCY_NORMAL);
	else if (strcmp(word, "would-critical") == 0)
		do_would(play, URGENCY_CRITICAL);
	else if (strcmp(word, "read-all") == 0)
		do_read_all(play, 1);
	else if (strcmp(word, "read-new") == 0)
		do_read_all(play, 110);
	else
		return false;
	return true;
}

static void
trace_uid(void *ctx, const struct notification *n)
{
	struct play *play = ctx;

	assert_string_equal(n->account, "work");
	assert_string_equal(n->code, "123456");
	assert_string_equal(n->actions, "default,read,archive,copy");
	buf_addf(&play->trace, "%u %s\n", n->uid, n->message_id);
}

static bool
do_earlier(struct play *play, const char *word)
{
	const char *value = strchr(word, '=');
	uint32_t uid;

	if (value == NULL)
		return false;
	uid = (uint32_t)strtoul(value + 1, NULL, 10);
	if (strncmp(word, "old=", 4) == 0)
		play->earlier = restore(play, uid, 0, false);
	else if (strncmp(word, "gone=", 5) == 0)
		play->earlier = restore(play, uid, 0, true);
	else if (strncmp(word, "more=", 5) == 0)
		restore(play, uid, play->earlier, false);
	else if (strncmp(word, "again=", 6) == 0)
		show_again(play, uid);
	else
		return false;
	return true;
}

static void
do_word(struct play *play, const char *word)
{
	uint32_t number;

	if (do_simple(play, word) || do_answer(play, word) ||
	    do_earlier(play, word))
		return;
	if (strncmp(word, "burst=", 6) == 0) {
		do_burst(play, (uint32_t)strtoul(word + 6, NULL, 10));
		return;
	}
	if (strncmp(word, "list=", 5) == 0) {
		notify_queue_each(
		    play->queue, strtoul(word + 5, NULL, 10), trace_uid, play);
		return;
	}
	if (strncmp(word, "read=", 5) == 0) {
		withdraw(play, (uint32_t)strtoul(word + 5, NULL, 10));
		return;
	}
	number = (uint32_t)strtoul(word + 1, NULL, 10);
	if (word[0] == '+') {
		play->now += number * USEC_MSEC;
		notify_queue_tick(play->queue, play->now);
	} else if (word[0] == 'n') {
		add(play, number, URGENCY_NORMAL);
	} else if (word[0] == 'c') {
		add(play, number, URGENCY_CRITICAL);
	} else if (word[0] == 'l') {
		add(play, number, URGENCY_LOW);
	} else {
		print_error("no such word: %s\n", word);
		fail();
	}
}

static void
run_script(struct play *play, const char *script)
{
	struct span rest = span_from_str(script), word;

	play->queue = notify_queue_new();
	play->now = START_USEC;
	while (span_split(&rest, ' ', &word)) {
		STR_AUTO copy = xstrdup_span(word);

		do_word(play, copy);
		give_turn(play);
	}
	notify_queue_free(&play->queue);
}

/* ---- Traces ---- */

/* A text of "*" fits any; so does "|*>". */
static bool
line_fits(struct span line, struct span expected)
{
	size_t star = span_find(expected, '*');

	if (star == SIZE_MAX)
		return span_equal(line, expected);
	return line.len + 1 >= expected.len &&
	       span_equal(
		   span_slice(line, 0, star), span_slice(expected, 0, star)) &&
	       span_equal(span_skip(line, line.len - (expected.len - star - 1)),
		   span_skip(expected, star + 1));
}

/* An expected line that starts with "*" fits a run of lines. */
static bool
trace_fits(struct span trace, struct span expected)
{
	struct span line, want;

	while (expected.len > 0 && span_split(&expected, '\n', &want)) {
		if (!span_split(&trace, '\n', &line) || !line_fits(line, want))
			return false;
		while (want.len > 0 && want.data[0] == '*' && trace.len > 0) {
			struct span ahead = trace;

			span_split(&ahead, '\n', &line);
			if (!line_fits(line, want))
				break;
			trace = ahead;
		}
	}
	return trace.len == 0;
}

static void
test_scripts(void **state)
{
	unsigned failed = 0;

	(void)state;
	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct play play = {.trace = BUF_INIT};

		run_script(&play, cases[i].script);
		if (!trace_fits(
			buf_span(&play.trace), span_from_str(cases[i].trace))) {
			print_error("case: %s\n--- expected\n%s--- got\n%s",
			    cases[i].name, cases[i].trace,
			    buf_str(&play.trace));
			failed++;
		}
		buf_done(&play.trace);
	}
	assert_int_equal(failed, 0);
}

/* ---- Any order of things ---- */

#define SEEDS 200
#define STEPS 400
#define IDS_MAX 20000

struct chaos {
	uint64_t seed; /* printed on failure */
	struct random random;
	struct notify_queue *queue;
	usec_t now;
	uint64_t asked[IDS_MAX];
	size_t asked_count;
	unsigned char outcomes[IDS_MAX]; /* by id */
	bool was_added[IDS_MAX];
};

static void
check(const struct chaos *chaos, bool is_true, const char *what)
{
	if (is_true)
		return;
	print_error("seed %llu: %s\n", (unsigned long long)chaos->seed, what);
	fail();
}
#define CHECK(chaos, condition) check(chaos, condition, #condition)

static void
chaos_add(struct chaos *chaos)
{
	uint64_t count = random_below(&chaos->random, 12) == 0
			     ? random_below(&chaos->random, 60)
			     : 1;
	struct play play = {.queue = chaos->queue, .now = chaos->now};

	for (uint64_t i = 0; i < count; i++) {
		uint64_t id =
		    add(&play, (uint32_t)random_below(&chaos->random, 30),
			(enum urgency)random_below(&chaos->random, 3));

		CHECK(chaos, id < IDS_MAX);
		chaos->was_added[id] = true;
	}
}

static void
chaos_answer(struct chaos *chaos)
{
	static const enum notifier_verb verbs[] = {NOTIFIER_SHOWN,
	    NOTIFIER_SHOWN, NOTIFIER_SHOWN, NOTIFIER_FAILED, NOTIFIER_CLOSED,
	    NOTIFIER_ACTION};
	struct play play = {.queue = chaos->queue, .now = chaos->now};
	uint64_t which;

	if (chaos->asked_count == 0)
		return;
	which = random_below(&chaos->random, chaos->asked_count);
	answer(&play, verbs[random_below(&chaos->random, LENGTH(verbs))],
	    chaos->asked[which], "why");
}

static void
chaos_withdraw(struct chaos *chaos)
{
	struct play play = {.queue = chaos->queue, .now = chaos->now};

	withdraw(&play, (uint32_t)random_below(&chaos->random, 30));
}

static void
chaos_switch(struct chaos *chaos)
{
	notify_queue_set_available(
	    chaos->queue, random_below(&chaos->random, 4) != 0, chaos->now);
}

static void
chaos_wait(struct chaos *chaos)
{
	chaos->now += random_below(&chaos->random, 5 * USEC_SEC);
	notify_queue_tick(chaos->queue, chaos->now);
}

static void
chaos_pull(struct chaos *chaos)
{
	struct notifier_line line;

	while (notify_queue_next(chaos->queue, &line)) {
		BUF_AUTO text = BUF_INIT;

		notifier_line_format(&text, &line);
		CHECK(chaos, text.len < NOTIFIER_LINE_MAX);
		if (line.verb == NOTIFIER_NOTIFY) {
			CHECK(chaos, line.n.title != NULL);
			CHECK(chaos, line.n.body != NULL);
			CHECK(chaos, chaos->asked_count < IDS_MAX);
			chaos->asked[chaos->asked_count++] = line.n.id;
		}
		notifier_line_done(&line);
	}
}

static void
chaos_outcomes(struct chaos *chaos)
{
	struct notify_outcome outcome;

	while (notify_queue_outcome(chaos->queue, &outcome)) {
		CHECK(chaos, outcome.id < IDS_MAX);
		CHECK(chaos, chaos->was_added[outcome.id]);
		CHECK(chaos, chaos->outcomes[outcome.id] == 0);
		CHECK(chaos,
		    (outcome.reason != NULL) == (outcome.fate == NOTIFY_GONE));
		chaos->outcomes[outcome.id]++;
	}
}

/* With a notifier that is there and time everything comes out. */
static void
chaos_end(struct chaos *chaos)
{
	notify_queue_set_available(chaos->queue, true, chaos->now);
	for (unsigned i = 0; i < 1000; i++) {
		usec_t deadline;

		chaos_pull(chaos);
		chaos_outcomes(chaos);
		deadline = notify_queue_deadline(chaos->queue);
		if (deadline == USEC_NEVER)
			break;
		CHECK(chaos, deadline > chaos->now);
		chaos->now = deadline;
		notify_queue_tick(chaos->queue, chaos->now);
	}
	CHECK(chaos, notify_queue_waiting(chaos->queue) == 0);
	for (size_t id = 0; id < IDS_MAX; id++)
		CHECK(chaos, chaos->outcomes[id] == chaos->was_added[id]);
}

static void
test_each_comes_out_once(void **state)
{
	static void (*const steps[])(struct chaos *) = {chaos_add, chaos_add,
	    chaos_add, chaos_answer, chaos_answer, chaos_answer, chaos_withdraw,
	    chaos_switch, chaos_wait, chaos_pull, chaos_pull, chaos_outcomes};

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct chaos *chaos = NEW(struct chaos);

		chaos->seed = seed;
		random_init(&chaos->random, seed);
		chaos->queue = notify_queue_new();
		chaos->now = START_USEC;
		for (unsigned i = 0; i < STEPS; i++)
			steps[random_below(&chaos->random, LENGTH(steps))](
			    chaos);
		chaos_end(chaos);
		notify_queue_free(&chaos->queue);
		free(chaos);
	}
}

/* A flood costs few requests and comes out all the same. */
static void
test_flood(void **state)
{
	struct play play = {.trace = BUF_INIT, .now = START_USEC};
	struct notifier_line line;
	struct notify_outcome outcome;
	unsigned requests = 0, outcomes = 0;

	(void)state;
	play.queue = notify_queue_new();
	notify_queue_set_available(play.queue, true, play.now);
	for (uint32_t i = 0; i < 5000; i++) {
		add(&play, i + 1, URGENCY_NORMAL);
		play.now += 10 * USEC_MSEC;
		notify_queue_tick(play.queue, play.now);
		while (notify_queue_next(play.queue, &line)) {
			answer(&play, NOTIFIER_SHOWN, line.n.id, NULL);
			notifier_line_done(&line);
			requests++;
		}
		while (notify_queue_outcome(play.queue, &outcome))
			outcomes++;
	}
	assert_in_range(requests, 6, 12);
	assert_int_equal(outcomes + notify_queue_waiting(play.queue), 5000);
	notify_queue_free(&play.queue);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_scripts),
	    cmocka_unit_test(test_each_comes_out_once),
	    cmocka_unit_test(test_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
