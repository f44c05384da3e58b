/* rules --english: each rule as a sentence. */
#include "daemon/control/ctl_english.h"

#include "rules/english.h"

void
ctl_english_add(struct buf *out, const struct rules *rules, const char *id)
{
	for (size_t i = 0; i < rules_count(rules); i++) {
		if (strcmp(rules_id(rules, i), id) == 0) {
			rule_english(out, rules, i);
			return;
		}
	}
}
