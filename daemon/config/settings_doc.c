/*
 * settings-doc: makes belfry.conf(5) of its template.
 *
 * Copies standard input to standard output; a line
 *
 *   .\" @settings SECTION
 *
 * becomes the list of that section's keys, and a line @presets the table of
 * providers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "daemon/config/presets.h"
#include "daemon/config/settings.h"

#define MARK ".\\\" @"

static void
print_presets(struct buf *buf)
{
	for (size_t i = 0; presets_at(i) != NULL; i++) {
		const struct preset *preset = presets_at(i);
		if (preset->refusal == NULL)
			buf_addf(
			    buf, ".It %s Ta %s\n", preset->id, preset->name);
	}
}

static bool
expand(struct buf *buf, struct span mark)
{
	enum section_kind kind;
	const char *nearest;
	struct span rest = mark, word;

	span_split(&rest, ' ', &word);
	if (span_is(word, "presets")) {
		print_presets(buf);
		return true;
	}
	if (!span_is(word, "settings") ||
	    !section_kind_parse(rest, &kind, &nearest))
		return false;
	settings_print_roff(buf, kind);
	return true;
}

int
main(void)
{
	BUF_AUTO out = BUF_INIT;
	char line[4096];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct span text = span_from_str(line);
		if (!span_starts(text, MARK)) {
			buf_add_span(&out, text);
			continue;
		}
		text = span_trim(span_skip(text, sizeof(MARK) - 1));
		if (!expand(&out, text)) {
			fprintf(stderr, "settings-doc: unknown mark: %s", line);
			return EXIT_FAILURE;
		}
	}
	if (fwrite(out.data, 1, out.len, stdout) != out.len)
		return EXIT_FAILURE;
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
