/* What the linter says of rules that compile, and what it does not say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "daemon/base/random.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/structure.h"
#include "rules/lint.h"
#include "rules/prover.h"
#include "tests/lib/rules_text.h"

static unsigned failures;
#define FAIL(...) (print_error(__VA_ARGS__), print_error("\n"), failures++)

struct lint_case {
	const char *rules; /* or the condition, which begins at 2:8 */
	const char *said;  /* all of it; "": nothing */
};

/* clang-format off */
static const struct lint_case conditions[] = {
	{"size > 10M and size < 5K",
	    "2:23: warning: rule a never acts: `size < 5K` cannot hold "
	    "together with `size > 10M`\n"},
	{"size >= 0",
	    "2:8: warning: rule a acts on every message: its "
	    "conditions always hold (if that is meant, write `when = "
	    "all`)\n"},
	{"size < 0",
	    "2:8: warning: rule a never acts: `size < 0` can never "
	    "hold: no message has less than 0\n"},
	{"hour > 23",
	    "2:8: warning: rule a never acts: `hour > 23` can never "
	    "hold: hours go from 0 to 23\n"},
	{"hour >= 0",
	    "2:8: warning: rule a acts on every message: its "
	    "conditions always hold (if that is meant, write `when = "
	    "all`)\n"},
	{"weekday > sun",
	    "2:8: warning: rule a never acts: `weekday > sun` can "
	    "never hold: days go from mon to sun\n"},
	{"not weekday is mon, tue, wed, thu, fri, sat, sun",
	    "2:12: warning: rule a never acts: `weekday is mon, tue, "
	    "wed, thu, fri, sat, sun` always holds: days go from mon "
	    "to sun\n"},
	{"hour >= 5 and hour <= 7 and hour is 9",
	    "2:36: warning: rule a never acts: `hour is 9` cannot hold "
	    "together with `hour <= 7`\n"},
	{"weekday >= sat and not weekday is sat and not weekday is sun",
	    "2:54: warning: rule a never acts: `weekday is sun` always "
	    "holds where `weekday is sat` does not\n"},
	{"size > 1M and size > 10M",
	    "2:8: warning: this decides nothing: `size > 1M` always "
	    "holds where `size > 10M` does\n"},
	{"size > 10M and size > 1M",
	    "2:23: warning: this decides nothing: `size > 1M` always "
	    "holds where `size > 10M` does\n"},
	{"bulk and not bulk",
	    "2:21: warning: rule a never acts: `bulk` both must and "
	    "must not hold\n"},
	{"bulk or not bulk",
	    "2:8: warning: rule a acts on every message: its "
	    "conditions always hold (if that is meant, write `when = "
	    "all`)\n"},
	{"bulk or bulk",
	    "2:16: warning: this decides nothing: it holds only where "
	    "`bulk` does, too\n"},
	{"bulk and bulk",
	    "2:17: warning: this decides nothing: it stands here "
	    "already\n"},
	{"flag is read and not flag is read",
	    "2:29: warning: rule a never acts: `flag is read` both "
	    "must and must not hold\n"},
	{"subject has invoice or subject has invoices",
	    "2:31: warning: this decides nothing: it holds only where "
	    "`subject has invoice` does, too\n"},
	{"subject has invoices and subject has invoice",
	    "2:33: warning: this decides nothing: `subject has "
	    "invoice` always holds where `subject has invoices` does\n"},
	{"subject has invoice and not subject has invoices",
	    ""},
	{"subject has invoices and not subject has invoice",
	    "2:37: warning: rule a never acts: `subject has invoice` "
	    "always holds where `subject has invoices` does\n"},
	{"from is ann@example.org and from.domain is example.org",
	    "2:36: warning: this decides nothing: `from.domain is "
	    "example.org` always holds where `from is ann@example.org` "
	    "does\n"},
	{"from is ann@example.org and not from.domain is example.org",
	    "2:40: warning: rule a never acts: `from.domain is "
	    "example.org` always holds where `from is ann@example.org` "
	    "does\n"},
	{"from is ann@example.org and from is bob@example.org",
	    ""},
	{"mailbox is INBOX and mailbox is Lists/x",
	    "2:29: warning: rule a never acts: `mailbox is Lists/x` "
	    "cannot hold together with `mailbox is INBOX`\n"},
	{"mailbox is INBOX and mailbox has List",
	    "2:29: warning: rule a never acts: `mailbox has List` "
	    "cannot hold together with `mailbox is INBOX`\n"},
	{"mailbox ~ /^Lists/ and mailbox is INBOX",
	    "2:31: warning: rule a never acts: `mailbox is INBOX` "
	    "cannot hold together with `mailbox ~ /^Lists/`\n"},
	{"mailbox is INBOX and mailbox ~ /^in/",
	    "2:29: warning: this decides nothing: `mailbox ~ /^in/` "
	    "always holds where `mailbox is INBOX` does\n"},
	{"from.domain is ann@example.org",
	    "2:23: warning: rule a never acts: `from.domain is "
	    "ann@example.org` can never hold: a domain has no `@` in "
	    "it (for one address, write `from is ann@example.org`)\n"},
	{"from.domain is @example.org",
	    "2:23: warning: rule a never acts: `from.domain is "
	    "@example.org` can never hold: a domain has no `@` in it "
	    "(leave out the `@`: example.org)\n"},
	{"from.domain is a.example, @b.example",
	    "2:34: warning: a domain has no `@` in it (leave out the "
	    "`@`: b.example)\n"},
	{"from.domain has @",
	    "2:24: warning: rule a never acts: `from.domain has @` can "
	    "never hold: a domain has no `@` in it\n"},
	{"from.user is ann@example.org",
	    "2:21: warning: the user is only what stands before the "
	    "`@` (write `from is ann@example.org`)\n"},
	{"from is example.org",
	    "2:16: warning: an address has an `@` in it (write "
	    "`from.domain is example.org`)\n"},
	{"from is @example.org",
	    "2:16: warning: no address is a domain alone (write "
	    "`from.domain is example.org`)\n"},
	{"from is *@example.org",
	    "2:16: warning: `is` knows no `*` (write `from.domain is "
	    "example.org`)\n"},
	{"from is Ann <ann@example.org>",
	    "2:16: warning: an address is compared without its name "
	    "and brackets (the name is another field: from.name)\n"},
	{"from is root",
	    ""},
	{"from is \"example.org\"",
	    ""},
	{"to.detail is +lists",
	    "2:21: warning: the detail is what stands behind the `+` "
	    "(leave out the `+`: lists)\n"},
	{"subject ~ //",
	    ""},
	{"subject ~ /.*/",
	    ""},
	{"mailbox ~ /.*/",
	    "2:8: warning: rule a acts on every message: its "
	    "conditions always hold (if that is meant, write `when = "
	    "all`)\n"},
	{"mailbox ~ /^/",
	    "2:8: warning: rule a acts on every message: its "
	    "conditions always hold (if that is meant, write `when = "
	    "all`)\n"},
	{"subject ~ /x*/",
	    "2:19: warning: the pattern matches every text: nothing in "
	    "it is needed\n"},
	{"subject ~ /invoice|/",
	    "2:19: warning: the pattern matches every text: nothing in "
	    "it is needed\n"},
	{"subject ~ /(re: )?/",
	    "2:19: warning: the pattern matches every text: nothing in "
	    "it is needed\n"},
	{"subject ~ /^(re: )?/",
	    "2:19: warning: the pattern matches every text: nothing in "
	    "it is needed\n"},
	{"subject ~ /^$/",
	    ""},
	{"subject ~ /a\\nb/",
	    "2:19: warning: rule a never acts: `subject ~ /a\\nb/` can "
	    "never hold: text of a header has no line ends and no tabs "
	    "when it is compared (for any blank, write `\\s`)\n"},
	{"subject ~ /invoice $500/",
	    "2:27: warning: rule a never acts: `subject ~ /invoice "
	    "$500/` can never hold: something stands behind the `$`, "
	    "which is the end of the text (for the character itself, "
	    "write `\\$`)\n"},
	{"subject ~ /a^b/",
	    "2:20: warning: rule a never acts: `subject ~ /a^b/` can "
	    "never hold: something stands before the `^`, which is the "
	    "beginning of the text (for the character itself, write "
	    "`\\^`)\n"},
	{"subject ~ /^(a|b)$/",
	    ""},
	{"subject ~ /\\$500/",
	    ""},
	{"from.domain ~ /@example.org$/",
	    "2:23: warning: rule a never acts: `from.domain ~ "
	    "/@example.org$/` can never hold: a domain has no `@` in "
	    "it\n"},
	{"flag ~ /seen/",
	    "2:8: warning: rule a never acts: `flag ~ /seen/` can "
	    "never hold: there are only read, flagged, answered, draft "
	    "and deleted\n"},
	{"flag has rea",
	    ""},
	{"attachment.type is pdf",
	    "2:27: warning: a type has two parts and a `/` between "
	    "them (as in: attachment.type is application/pdf)\n"},
	{"attachment.type is image/*",
	    "2:27: warning: `is` knows no `*` (write `attachment.type "
	    "has image/`)\n"},
	{"attachment.name is *.pdf",
	    "2:27: warning: `is` knows no `*` (write a pattern, as in: "
	    "attachment.name ~ /\\.pdf$/)\n"},
	{"attachment.count >= 0",
	    "2:8: warning: rule a acts on every message: its "
	    "conditions always hold (if that is meant, write `when = "
	    "all`)\n"},
	{"attachment.count > 0 and not attachment",
	    "2:37: warning: rule a never acts: `attachment` always "
	    "holds where `attachment.count > 0` does\n"},
	{"attachment.type is image/png and not attachment",
	    "2:45: warning: rule a never acts: `attachment` always "
	    "holds where `attachment.type is image/png` does\n"},
	{"auto-submitted is no",
	    "2:26: warning: rule a never acts: `auto-submitted is no` "
	    "can never hold: `no` counts as if the field were missing "
	    "(write `not auto-submitted`)\n"},
	{"keyword is \\Seen",
	    "2:19: warning: rule a never acts: `keyword is \\Seen` can "
	    "never hold: no keyword begins with a backslash (for "
	    "these, write `flag is read` or the like)\n"},
	{"mailbox is Lists/*",
	    "2:19: warning: `is` knows no `*` (write `mailboxes = "
	    "Lists/*`, or a pattern)\n"},
	{"list-id ~ /x/ and not bulk",
	    "2:30: warning: rule a never acts: `bulk` always holds "
	    "where `list-id ~ /x/` does\n"},
	{"auth.dmarc is pass and auth.dmarc is fail",
	    "2:31: warning: rule a never acts: `auth.dmarc is fail` "
	    "cannot hold together with `auth.dmarc is pass`\n"},
	{"auth.dkim is pass and auth.dkim is fail",
	    ""},
	{"not auth.dmarc is pass and not auth.dmarc",
	    "2:12: warning: this decides nothing: `auth.dmarc is pass` "
	    "cannot hold where `auth.dmarc` does not\n"},
	{"subject and subject ~ /x/",
	    ""},
	{"all and bulk",
	    "2:8: warning: `all` decides nothing beside other "
	    "conditions\n"},
	{"all or bulk",
	    "2:8: warning: rule a acts on every message: its "
	    "conditions always hold (if that is meant, write `when = "
	    "all`)\n"},
	{"not all",
	    "2:12: warning: rule a never acts: `all` always holds\n"},
	{"size",
	    "2:8: warning: rule a acts on every message: its "
	    "conditions always hold (if that is meant, write `when = "
	    "all`)\n"},
	{"mailbox",
	    "2:8: warning: rule a acts on every message: its "
	    "conditions always hold (if that is meant, write `when = "
	    "all`)\n"},
	{"(bulk and to-me) or (bulk and not to-me)",
	    ""},
	{"bulk and (to-me or not bulk)",
	    "2:31: warning: this decides nothing: `bulk` both must and "
	    "must not hold\n"},
	{"bulk and (to-me or size > 1M and size < 1K)",
	    "2:41: warning: this decides nothing: `size < 1K` cannot "
	    "hold together with `size > 1M`\n"},
	{"not (size > 1M or size <= 1M)",
	    "2:26: warning: rule a never acts: `size <= 1M` always "
	    "holds where `size > 1M` does not\n"},
	{"not (bulk and not bulk)",
	    "2:13: warning: rule a acts on every message: its "
	    "conditions always hold (if that is meant, write `when = "
	    "all`)\n"},
	{"subject !~ /x/ and subject ~ /x/",
	    "2:27: warning: rule a never acts: `subject ~ /x/` both "
	    "must and must not hold\n"},
	{"subject !~ /x/ or subject ~ /x/",
	    "2:8: warning: rule a acts on every message: its "
	    "conditions always hold (if that is meant, write `when = "
	    "all`)\n"},
	{"sent > 2d or sent <= 2d",
	    ""},
	{"age > 2d or age <= 2d",
	    "2:8: warning: this decides nothing: one part of it or "
	    "another always holds\n"},
	{"age > 2d and age < 1d",
	    "2:21: warning: rule a never acts: `age < 1d` cannot hold "
	    "together with `age > 2d`\n"},
	{"to is a@b.example and not rcpt is a@b.example",
	    "2:34: warning: rule a never acts: `rcpt is a@b.example` "
	    "always holds where `to is a@b.example` does\n"},
	{"to has x and rcpt has x",
	    "2:21: warning: this decides nothing: `rcpt has x` always "
	    "holds where `to has x` does\n"},
	{"from is a@b.example or from is A@B.example, a@b.example",
	    "2:31: warning: this decides nothing: it holds only where "
	    "`from is a@b.example` does, too\n"},
	{"body ~ /^.*$/",
	    ""},
	{"to-me or cc-me and not to-me",
	    ""},
	{"to-me or (not to-me and cc-me)",
	    ""},
	{"weekday is sat or hour >= 20 and not weekday is sat",
	    ""},
	{"subject is x and subject ~ /x/",
	    "2:25: warning: this decides nothing: `subject ~ /x/` "
	    "always holds where `subject is x` does\n"},
	{"subject is x or subject ~ /x/",
	    ""},
	{"subject has x and (subject has x or bulk)",
	    "2:27: warning: this decides nothing: it stands here "
	    "already\n"},
};

#define L "[rule a]\nwhen = from in @l\nmark = x\n"
#define A "[rule a]\nwhen = subject ~ /(?<s>x)/\n"

static const struct lint_case sets[] = {
	{A "move = \"a b\"\n",
	    "3:8: warning: the quotes are a part of the name (leave them "
	    "out: blanks need none)\n"},
	{A "copy = 'a'\n",
	    "3:8: warning: the quotes are a part of the name (leave them "
	    "out: blanks need none)\n"},
	{A "move = a\"b\n", ""},
	{"[list l]\nmember = Ann <ann@x.example>\n" L,
	    "2:10: warning: an address is compared without its name and "
	    "brackets (write `ann@x.example`)\n"},
	{"[list l]\nmember = <1@x.example>\nmember = a <b\n"
	 "member = ann@x.example\n" L, ""},
	{A "move = X/$1\n",
	    "3:10: warning: this is a part of the name: groups have no "
	    "numbers here (name the group, as in (?<what>...), and write "
	    "${what})\n"},
	{A "move = US$/${s}$\n", ""},
	{A "exec = /bin/echo a > /tmp/x\n",
	    "3:20: warning: there is no shell: the command gets this as "
	    "it is (write a script, and its path here)\n"},
	{A "exec = /bin/echo \"$BELFRY_FROM\"\n",
	    "3:19: warning: there is no shell: the command gets this as "
	    "it is (write ${...} with a field or a group)\n"},
	{A "exec = /bin/echo $Junk 'a | b' >x <a@b.example>\n", ""},
	{A "exec = /bin/sh -c \"echo ${s}\"\n",
	    "3:20: warning: the shell would run what the mail says here "
	    "(give it as an argument, as in: sh -c 'echo \"$1\"' sh "
	    "${subject})\n"},
	{A "exec = /bin/bash -e -xc ${s}\n",
	    "3:25: warning: the shell would run what the mail says here "
	    "(give it as an argument, as in: sh -c 'echo \"$1\"' sh "
	    "${subject})\n"},
	{A "exec = /bin/sh -c 'echo \"$1\" | mail x' sh ${s}\n", ""},
	{A "exec = /bin/sh -c 'mkdir ${date.year}'\n", ""},
	{A "exec = /bin/sh /usr/bin/x -c ${s}\n", ""},
	{"[rule a]\nwhen = header(\"X-Any\")\nmark = x\n",
	    "2:15: warning: the quotes are a part of the header's name "
	    "(leave them out)\n"},
	{"[list e]\n"
	 "[rule a]\n"
	 "when = from in @e\n"
	 "move = X\n",
	    "3:16: warning: rule a never acts: `from in @e` can never "
	    "hold: the list has no members\n"},
	{"[list e]\n"
	 "member = a@b.example\n"
	 "[rule a]\n"
	 "when = from.domain in @e\n"
	 "move = X\n",
	    "4:23: warning: rule a never acts: `from.domain in @e` can "
	    "never hold: the list has only addresses, which are no "
	    "domains (to compare addresses, write `from in`)\n"},
	{"[list e]\n"
	 "member = b.example\n"
	 "[rule a]\n"
	 "when = from in @e\n"
	 "move = X\n",
	    "4:16: warning: the members of this list are no addresses "
	    "(write the members as @example.org, or `from.domain in`)\n"},
	{"[list v]\n"
	 "member = boss@example.org\n"
	 "member = @family.example\n"
	 "[rule a]\n"
	 "when = from in @v\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = from is boss@example.org and bulk\n"
	 "move = X\n"
	 "[rule c]\n"
	 "when = from.domain is family.example\n"
	 "move = X\n",
	    "7:1: warning: rule b never runs: rule a stops at all that "
	    "it would act on\n"},
	{"[account home]\n"
	 "[account work]\n"
	 "[rule a]\n"
	 "when = account is hom\n"
	 "move = X\n",
	    "4:19: warning: rule a never acts: `account is hom` can "
	    "never hold: there is no account of this name (did you "
	    "mean `home`?)\n"},
	{"[account home]\n"
	 "[account work]\n"
	 "[rule a]\n"
	 "accounts = home\n"
	 "when = account is work\n"
	 "move = X\n",
	    "5:8: warning: rule a never acts: `account is work` can "
	    "never hold: see the rule's `accounts`\n"},
	{"[account home]\n"
	 "[account work]\n"
	 "[rule a]\n"
	 "accounts = home\n"
	 "when = account is home and bulk\n"
	 "move = X\n",
	    "5:8: warning: this decides nothing: `account is home` "
	    "always holds: see the rule's `accounts`\n"},
	{"[account home]\n"
	 "[rule a]\n"
	 "when = account ~ /^work/\n"
	 "move = X\n",
	    "3:8: warning: rule a never acts: `account ~ /^work/` can "
	    "never hold: no account has such a name\n"},
	{"[rule a]\n"
	 "mailboxes = INBOX, Lists/*\n"
	 "when = mailbox is Work\n"
	 "move = X\n",
	    "3:8: warning: rule a never acts: `mailbox is Work` can "
	    "never hold: see the rule's `mailboxes`\n"},
	{"[rule a]\n"
	 "mailboxes = INBOX, Lists/*\n"
	 "when = mailbox is lists/x\n"
	 "move = X\n",
	    ""},
	{"[rule a]\n"
	 "when = bulk\n"
	 "unless = bulk\n"
	 "move = X\n",
	    "3:10: warning: rule a never acts: this `unless` always "
	    "vetoes: `bulk` both must and must not hold: see line 2\n"},
	{"[rule a]\n"
	 "when = list-id is x.y\n"
	 "unless = bulk\n"
	 "move = X\n",
	    "3:10: warning: rule a never acts: this `unless` always "
	    "vetoes: `bulk` always holds where `list-id is x.y` in "
	    "line 2 does\n"},
	{"[rule a]\n"
	 "when = size > 10M\n"
	 "unless = size < 1M\n"
	 "move = X\n",
	    "3:10: warning: this decides nothing: `size < 1M` cannot "
	    "hold together with `size > 10M` in line 2\n"},
	{"[rule a]\n"
	 "when = bulk\n"
	 "unless = subject has x or bulk\n"
	 "move = X\n",
	    "3:27: warning: rule a never acts: this `unless` always "
	    "vetoes: `bulk` both must and must not hold: see line 2\n"},
	{"[rule a]\n"
	 "when = all\n"
	 "unless = to-me or not to-me\n"
	 "move = X\n",
	    "3:23: warning: rule a never acts: this `unless` always "
	    "vetoes: `to-me` both must and must not hold\n"},
	{"[rule a]\n"
	 "when = all\n"
	 "when = bulk\n"
	 "unless = size < 0\n"
	 "move = X\n",
	    "2:8: warning: `all` decides nothing beside other "
	    "conditions\n"
	    "4:10: warning: this decides nothing: `size < 0` can never "
	    "hold: no message has less than 0\n"},
	{"[rule a]\n"
	 "when = size > 1M\n"
	 "when = bulk\n"
	 "when = size > 10M\n"
	 "when = bulk\n"
	 "move = X\n",
	    "2:8: warning: this decides nothing: `size > 1M` always "
	    "holds where `size > 10M` in line 4 does\n"
	    "5:8: warning: this decides nothing: it stands in line 3 "
	    "already\n"},
	{"[rule a]\n"
	 "when = from is ann@x.example or from is bob@x.example\n"
	 "move = A\n"
	 "[rule b]\n"
	 "when = from is bob@x.example and subject has x\n"
	 "move = B\n"
	 "[rule c]\n"
	 "when = from is bob@x.example\n"
	 "move = A\n"
	 "[rule d]\n"
	 "when = from is bob@x.example\n"
	 "mark = read\n"
	 "[rule e]\n"
	 "when = from is bob@x.example or from is carl@x.example\n"
	 "move = B\n",
	    "4:1: warning: rule b never does its `move`: rule a does "
	    "`move` with all that it would act on\n"},
	{"[rule a]\n"
	 "when = subject ~ /x/ or bulk\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = bulk\n"
	 "move = X\n"
	 "[rule c]\n"
	 "when = subject ~ /x/ and bulk\n"
	 "move = X\n",
	    "7:1: warning: rule c never runs: rule a stops at all that "
	    "it would act on\n"},
	{"[rule a]\n"
	 "when = bulk\n"
	 "unless = to-me\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = bulk and not to-me\n"
	 "move = X\n"
	 "[rule c]\n"
	 "when = bulk\n"
	 "unless = to-me\n"
	 "move = X\n"
	 "[rule d]\n"
	 "when = bulk\n"
	 "move = X\n",
	    "5:1: warning: rule b never runs: rule a stops at all that "
	    "it would act on\n"
	    "8:1: warning: rule c never runs: rule a stops at all that "
	    "it would act on\n"},
	{"[account w]\n"
	 "[account v]\n"
	 "[rule a]\n"
	 "when = bulk\n"
	 "accounts = w\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = bulk\n"
	 "accounts = W\n"
	 "move = X\n"
	 "[rule c]\n"
	 "when = bulk\n"
	 "move = X\n",
	    "7:1: warning: rule b never runs: rule a stops at all that "
	    "it would act on\n"},
	{"[rule a]\n"
	 "when = bulk\n"
	 "mailboxes = Lists/*, INBOX\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = bulk\n"
	 "mailboxes = inbox, Lists/a/*\n"
	 "move = X\n"
	 "[rule c]\n"
	 "when = bulk\n"
	 "mailboxes = INBOX, Work\n"
	 "move = X\n",
	    "5:1: warning: rule b never runs: rule a stops at all that "
	    "it would act on\n"},
	{"[rule a]\n"
	 "when = size > 1M\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = size > 10M\n"
	 "move = X\n"
	 "[rule c]\n"
	 "when = weekday is sat\n"
	 "move = X\n",
	    "4:1: warning: rule b never runs: rule a stops at all that "
	    "it would act on\n"},
	{"[rule a]\n"
	 "when = from.domain is example.org\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = from is ann@example.org\n"
	 "move = X\n",
	    "4:1: warning: rule b never runs: rule a stops at all that "
	    "it would act on\n"},
	{"[rule a]\n"
	 "when = subject has x\n"
	 "mode = observe\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = subject has x\n"
	 "stop = yes\n"
	 "limit = 3/day\n"
	 "[rule c]\n"
	 "when = subject has x\n"
	 "move = X\n"
	 "[rule d]\n"
	 "when = subject has x\n"
	 "move = Y\n",
	    "12:1: warning: rule d never does its `move`: rule c does "
	    "`move` with all that it would act on\n"},
	{"[rule a]\n"
	 "when = bulk\n"
	 "mailboxes = INBOX\n"
	 "move = INBOX\n",
	    "1:1: warning: rule a moves messages to where they are: it "
	    "is only for the mailbox INBOX\n"},
	{"[rule a]\n"
	 "when = subject is a\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = subject has a\n"
	 "move = X\n",
	    ""},
	{"[rule a]\n"
	 "when = to is x@y.example\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = cc is x@y.example\n"
	 "move = X\n"
	 "[rule c]\n"
	 "when = rcpt is x@y.example\n"
	 "stop = yes\n"
	 "[rule d]\n"
	 "when = cc is x@y.example\n"
	 "move = X\n",
	    "10:1: warning: rule d never runs: rule c stops at all "
	    "that it would act on\n"},
	{"[rule a]\n"
	 "when = subject ~ /(?<x>a)/ or subject ~ /b(?<x>c)/\n"
	 "move = ${x}\n",
	    ""},
	{"[rule a]\n"
	 "when = subject ~ /a(?<x>b)?/\n"
	 "move = ${x}\n",
	    "3:10: warning: `x` may be empty: the pattern matches "
	    "without its group in line 2\n"},
	{"[rule a]\n"
	 "when = bulk and subject ~ /(a|(?<x>b))/\n"
	 "when = to-me\n"
	 "move = ${x}\n",
	    "4:10: warning: `x` may be empty: the pattern matches "
	    "without its group in line 2\n"},
	{"[rule a]\n"
	 "when = subject ~ /a\\nb/\n"
	 "move = X\n",
	    "2:19: warning: rule a never acts: `subject ~ /a\\nb/` can "
	    "never hold: text of a header has no line ends and no tabs "
	    "when it is compared (for any blank, write `\\s`)\n"},
	{"[rule a]\n"
	 "when = subject ~ /a\\n?b/\n"
	 "move = X\n",
	    ""},
	{"[rule a]\n"
	 "when = from.domain ~ /a@b|c/\n"
	 "move = X\n",
	    ""},
	{"[rule a]\n"
	 "when = bulk\n"
	 "when = bulk or to-me\n"
	 "move = X\n",
	    "3:8: warning: this decides nothing: it stands in line 2 "
	    "already\n"},
	{"[account w]\n"
	 "[rule a]\n"
	 "when = bulk\n"
	 "accounts = W\n"
	 "move = X\n",
	    ""},
	{"[list e]\n"
	 "[rule a]\n"
	 "when = from in @e or from in @file:/tmp/none\n"
	 "move = X\n",
	    "3:16: warning: this decides nothing: `from in @e` can "
	    "never hold: the list has no members\n"},
	{"[rule a]\n"
	 "when = all\n"
	 "stop = yes\n"
	 "enabled = no\n"
	 "[rule b]\n"
	 "when = all\n"
	 "trash = yes\n"
	 "[rule c]\n"
	 "when = bulk\n"
	 "move = X\n"
	 "[rule d]\n"
	 "when = to-me\n"
	 "trash = yes\n"
	 "[rule e]\n"
	 "when = all\n"
	 "stop = yes\n"
	 "[rule f]\n"
	 "when = bulk\n"
	 "mark = read\n",
	    "8:1: warning: rule c never does its `move`: rule b does "
	    "`trash` with every message\n"
	    "17:1: warning: rule f never runs: rule e stops at every "
	    "message\n"},
	{"[rule a]\n"
	 "when = subject ~ /(?J)(?:(?<x>a)|b(?<x>c))/\n"
	 "move = ${x}\n",
	    ""},
	{"[rule a]\n"
	 "when = size < 5M\n"
	 "when = bulk\n"
	 "unless = to-me or size > 5M\n"
	 "unless = not bulk\n"
	 "move = X\n",
	    "4:19: warning: this decides nothing: `size > 5M` cannot "
	    "hold together with `size < 5M` in line 2\n"
	    "5:14: warning: this decides nothing: it stands in line 3 "
	    "already\n"},
	{"[rule a]\n"
	 "when = subject ~ /x/ and from ~ /y/\n"
	 "unless = bulk\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = from ~ /y/ and (to-me and subject ~ /x/)\n"
	 "when = not bulk\n"
	 "move = X\n",
	    "5:1: warning: rule b never runs: rule a stops at all that "
	    "it would act on\n"},
	{"[rule a]\n"
	 "when = from ~ /@example\\.org$/\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = from is ann@example.org\n"
	 "move = X\n",
	    ""},
	{"[rule a]\n"
	 "when = not from in @file:/x\n"
	 "stop = yes\n"
	 "[rule b]\n"
	 "when = not (from in @file:/x or bulk)\n"
	 "move = X\n",
	    "4:1: warning: rule b never runs: rule a stops at all that "
	    "it would act on\n"},
	{"[rule a]\n"
	 "when = size > 1M and size > 2M and size > 3M\n"
	 "move = X\n",
	    "2:8: warning: this decides nothing: `size > 1M` always "
	    "holds where `size > 2M` does\n"
	    "2:22: warning: this decides nothing: `size > 2M` always "
	    "holds where `size > 3M` does\n"},
	{"[rule a]\n"
	 "when = attachment\n"
	 "unless = attachment.count > 0\n"
	 "move = X\n",
	    ""},
	{"[rule a]\n"
	 "when = hour >= 22 or hour < 6\n"
	 "unless = hour is 22, 23\n"
	 "move = X\n",
	    ""},
	{"[rule a]\n"
	 "when = to is a@b.example, c@d.example\n"
	 "when = to.domain is b.example, d.example\n"
	 "move = X\n",
	    "3:8: warning: this decides nothing: `to.domain is "
	    "b.example, d.example` always holds where `to is "
	    "a@b.example, c@d.example` in line 2 does\n"},
	{"[rule a]\n"
	 "when = subject is \"Ä\" and subject has ä\n"
	 "move = X\n",
	    ""},
	{"[rule a]\n"
	 "when = from.domain is example.org and from.domain is example.com\n"
	 "unless = from.domain is x.example\n"
	 "move = X\n",
	    ""},
};
/* clang-format on */

static void
check_case(const char *rules_text, const char *said)
{
	struct rule_problems problems = {0};
	struct rules *rules = rules_from_text(rules_text, &problems);
	BUF_AUTO shown = BUF_INIT;

	rules_problems_show(&shown, &problems);
	if (rules == NULL || strcmp(buf_str(&shown), said) != 0)
		FAIL("%s\nsays\n%sand not\n%s", rules_text, buf_str(&shown),
		    said);
	rules_free(&rules);
	rule_problems_done(&problems);
}

static void
test_conditions(void **state)
{
	(void)state;
	failures = 0;
	for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
		STR_AUTO text = xasprintf("[rule a]\nwhen = %s\nmove = X\n",
		    conditions[i].rules);

		check_case(text, conditions[i].said);
	}
	assert_int_equal(failures, 0);
}

static void
test_sets(void **state)
{
	(void)state;
	failures = 0;
	for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
		check_case(sets[i].rules, sets[i].said);
	assert_int_equal(failures, 0);
}

/* As many as there can be, each kind of condition, all like each other. */
static void
test_many(void **state)
{
	static const char *const lines[] = {
	    "from is u%d@example.org",
	    "subject has word%d and size > 5K",
	    "from ~ /u%d@/ or subject ~ /x/ or bulk",
	    "not subject has \"x y\" and age > %ds",
	};

	(void)state;
	for (size_t k = 0; k < sizeof(lines) / sizeof(*lines); k++) {
		struct rule_problems problems = {0};
		struct rules *rules;
		BUF_AUTO text = BUF_INIT;

		for (int i = 0; i < RULES_MAX; i++) {
			const char *number = strstr(lines[k], "%d");

			buf_addf(&text, "[rule r%d]\nwhen = %.*s%d%s\n", i,
			    (int)(number - lines[k]), lines[k], i, number + 2);
			buf_addf(&text, "move = M%d\n", i);
		}
		rules = rules_from_text(buf_str(&text), &problems);
		assert_non_null(rules);
		assert_true(problems.count <= LINT_WARNINGS_MAX + 1);
		rules_free(&rules);
		rule_problems_done(&problems);
	}
}

/* One line with more branches than are compared with each other. */
static void
test_long_line(void **state)
{
	struct rule_problems problems = {0};
	struct rules *rules;
	BUF_AUTO text = BUF_INIT;

	(void)state;
	buf_add_str(&text, "[rule a]\nstop = yes\nwhen = bulk");
	for (int i = 0; i < 20000; i++)
		buf_addf(&text, " or subject has \"w%d.\"", i);
	rules = rules_from_text(buf_str(&text), &problems);
	assert_non_null(rules);
	assert_int_equal(problems.count, 0);
	rules_free(&rules);
	rule_problems_done(&problems);
}

/*
 * Truth: random rules over a small world. What is said of a rule must be so
 * for every message that we can think of.
 */
#define TRUTH_ROUNDS 1500
#define TRUTH_MESSAGES 60

static const char *const atoms[] = {"bulk", "to-me", "from is a@x.example",
    "from is a@x.example, b@y.example", "from.domain is x.example",
    "from.domain is x.example, y.example", "from.user is a",
    "from has example", "from has x.ex", "from in @l", "from.domain in @d",
    "from", "to is a@x.example", "rcpt is a@x.example", "rcpt has x",
    "subject has a", "subject has ab", "subject is ab", "subject is ab, cd",
    "subject ~ /^a/", "subject !~ /b$/", "subject", "size > 10", "size < 10",
    "size >= 20", "size is 10, 20", "hour >= 12", "hour < 12", "hour is 3, 15",
    "mailbox is INBOX", "mailbox is INBOX, A/b", "mailbox has a",
    "mailbox ~ /^A/", "flag is read", "flag is read, flagged", "flag has red",
    "list-id has l", "list-id", "all", "attachment", "attachment.count > 1",
    "attachment.count < 1", "header(List-Post)"};
static const char *const senders[] = {"", "From: a@x.example\n",
    "From: B@Y.example\n", "From: a@x.example, b@y.example\n",
    "From: c@sub.d.example\n"};
static const char *const subjects[] = {"", "Subject:\n", "Subject: ab\n",
    "Subject: cd\nSubject: ABC\n", "Subject: xab\n"};
static const char *const others[] = {"", "List-Id: <l.x>\n",
    "List-Post: x\n", "To: a@x.example\n", "To: me@m.example\n",
    "Precedence: bulk\nCc: a@x.example\n"};
static const char *const mailboxes[] = {"INBOX", "A/b", "Other"};
static const char *const flag_sets[] = {"", "\\Seen", "\\Flagged"};

#define PICK(random, table)                                                    \
	(table)[random_below(                                                  \
	    random, sizeof(table) / sizeof(*(table)))]

static void
add_random(struct random *random, struct buf *buf, unsigned depth)
{
	uint64_t kind = random_below(random, depth == 0 ? 2 : 6);

	if (kind == 1)
		buf_add_str(buf, "not ");
	if (kind <= 1) {
		buf_add_str(buf, PICK(random, atoms));
		return;
	}
	if (kind == 2)
		buf_add_str(buf, "not ");
	buf_add_char(buf, '(');
	add_random(random, buf, depth - 1);
	buf_add_str(buf, kind == 3 ? " and " : " or ");
	add_random(random, buf, depth - 1);
	buf_add_char(buf, ')');
}

static void
add_random_rule(struct random *random, struct buf *buf, char id)
{
	buf_addf(buf, "[rule %c]\nmark = %c\nwhen = ", id, id);
	add_random(random, buf, 2);
	if (random_below(random, 2) == 0) {
		buf_add_str(buf, "\nwhen = ");
		add_random(random, buf, 1);
	}
	if (random_below(random, 3) == 0) {
		buf_add_str(buf, "\nunless = ");
		add_random(random, buf, 1);
	}
	if (random_below(random, 4) == 0)
		buf_addf(buf, "\nmailboxes = %s", PICK(random, mailboxes));
	if (random_below(random, 2) == 0)
		buf_add_str(buf, "\nstop = yes");
	buf_add_char(buf, '\n');
}

static bool
says(const struct rule_problems *problems, char id, const char *what)
{
	STR_AUTO text = xasprintf("rule %c %s", id, what);

	for (size_t i = 0; i < problems->count; i++)
		if (strncmp(problems->items[i].text, text, strlen(text)) == 0)
			return true;
	return false;
}

static void
check_truth(const char *text, const struct rule_problems *problems,
    const struct rules *rules, const struct facts *facts)
{
	struct plan plan;

	rules_judge(rules, facts, &plan);
	for (char id = 'a'; id <= 'c'; id++) {
		const char name[] = {id, '\0'};
		bool acts = strv_has(&plan.matched, name);

		if (acts && (says(problems, id, "never acts") ||
				says(problems, id, "never runs")))
			FAIL("%s\nrule %c acts", text, id);
		if (!acts && id == 'a' && says(problems, id, "acts on every message:"))
			FAIL("%s\nrule %c does not act", text, id);
	}
	plan_done(&plan);
}

static void
check_message(struct random *random, const char *text,
    const struct rule_problems *problems, const struct rules *rules)
{
	char nameless[] = "", image[] = "image/png";
	char named[] = "n", other[] = "text/x";
	struct part parts[2] = {
	    {.name = nameless, .type = image, .is_attachment = true},
	    {.name = named, .type = other, .is_attachment = true}};
	struct structure structure = {
	    .parts = parts, .count = random_below(random, 3)};
	STR_AUTO message = xasprintf("%s%s%s\n", PICK(random, senders),
	    PICK(random, subjects), PICK(random, others));
	STRV_AUTO flags = STRV_INIT;
	STRV_AUTO me = STRV_INIT;
	struct facts facts = {.message = message_new(span_from_str(message)),
	    .account = "x",
	    .mailbox = PICK(random, mailboxes),
	    .flags = &flags,
	    .identities = &me,
	    .structure = &structure,
	    .size = 5 * random_below(random, 6),
	    .now_unix = (int64_t)(3 * 3600 * random_below(random, 8))};

	strv_add(&me, "me@m.example");
	strv_add(&flags, PICK(random, flag_sets));
	check_truth(text, problems, rules, &facts);
	message_free(&facts.message);
}

static void
test_truth(void **state)
{
	struct random random;

	(void)state;
	failures = 0;
	random_init(&random, 20261122);
	for (int round = 0; round < TRUTH_ROUNDS && failures == 0; round++) {
		struct rule_problems problems = {0};
		BUF_AUTO text = BUF_INIT;
		struct rules *rules;

		buf_add_str(&text, "[list l]\nmember = a@x.example\n"
				   "member = @d.example\n"
				   "[list d]\nmember = y.example\n");
		for (char id = 'a'; id <= 'c'; id++)
			add_random_rule(&random, &text, id);
		rules = rules_from_text(buf_str(&text), &problems);
		assert_non_null(rules);
		for (int i = 0; i < TRUTH_MESSAGES; i++)
			check_message(
			    &random, buf_str(&text), &problems, rules);
		rules_free(&rules);
		rule_problems_done(&problems);
	}
	assert_int_equal(failures, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_conditions),
	    cmocka_unit_test(test_sets),
	    cmocka_unit_test(test_many),
	    cmocka_unit_test(test_long_line),
	    cmocka_unit_test(test_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
