#include "rules/rule_keys_private.h"

#include "daemon/base/eai.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "rules/action_lint.h"

#define RULE_RETRY_MAX 20
#define FORWARD_ADDRESS_MAX 254 /* RFC 5321 4.5.3.1.3, without "<>" */

/* RFC 5322 3.2.3 dot-atom with what RFC 6531 adds, and RFC 5321 domains. */
static bool
is_address_char(char c, bool is_domain)
{
	if (char_is_alnum(c) || c == '.' || c == '-')
		return true;
	return !is_domain && c != '\0' &&
	       ((unsigned char)c >= 0x80 ||
		   strchr("!#$%&'*+/=?^_`{|}~", c) != NULL);
}

static bool
is_address_part(struct span s, bool is_domain)
{
	if (s.len == 0 || s.data[0] == '.' || s.data[s.len - 1] == '.' ||
	    span_find_span(s, SPAN(".."), 0) != SIZE_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_address_char(s.data[i], is_domain))
			return false;
	return true;
}

static bool
is_address(struct span text)
{
	size_t at = span_find(text, '@');

	return text.len <= FORWARD_ADDRESS_MAX && at != SIZE_MAX &&
	       (utf8_ascii_length(text) == text.len || eai_is_clean(text)) &&
	       is_address_part(span_slice(text, 0, at), false) &&
	       is_address_part(span_skip(text, at + 1), true);
}

/* Appends it as it goes on the wire. */
static bool
read_address(const struct rule_job *job, struct buf *address)
{
	struct span text = job->source.text;
	const char *why;

	if (span_find_span(text, SPAN("${"), 0) != SIZE_MAX)
		return source_error(&job->source, 0, NULL,
		    "the target of a forward must be written out: no mail may "
		    "choose where it is sent");
	if (span_find(text, ',') != SIZE_MAX)
		return source_error(&job->source, span_find(text, ','),
		    "write one more line with `forward =`",
		    "one address a line");
	if (!eai_add_address(address, text, &why))
		return source_error(
		    &job->source, span_find(text, '@') + 1, NULL, "%s", why);
	if (!is_address(buf_span(address)))
		return source_error(&job->source, 0, NULL,
		    "one plain address is expected, as in ann@example.org");
	return true;
}

bool
rule_set_forward(const struct rule_job *job)
{
	BUF_AUTO address = BUF_INIT;

	if (!read_address(job, &address))
		return false;
	rule_add_blueprint(job->rule, ACTION_FORWARD)->fixed.target =
	    xstrdup(buf_str(&address));
	return true;
}

static void
lint_command(
    const struct rule_job *job, struct template *const *argv, size_t argc)
{
	STRV_AUTO arguments = STRV_INIT;

	for (size_t i = 0; i < argc; i++) {
		BUF_AUTO text = BUF_INIT;

		template_show(&text, argv[i], &job->rule->captures,
		    &job->context->rules->slots);
		strv_add(&arguments, buf_str(&text));
	}
	action_lint_command(&job->source, &arguments);
}

bool
rule_set_exec(const struct rule_job *job)
{
	const struct template_names names = {
	    &job->rule->captures, &job->context->rules->slots};
	struct template **argv;
	struct blueprint *blueprint;
	size_t argc;

	if (job->source.text.len == 0 || job->source.text.data[0] != '/')
		return source_error(&job->source, 0, NULL,
		    "the command needs its whole path, as in "
		    "/usr/local/bin/ring");
	if (!template_compile_arguments(&job->source, &names, &argv, &argc))
		return false;
	blueprint = rule_add_blueprint(job->rule, ACTION_EXEC);
	blueprint->argv = argv;
	blueprint->argc = argc;
	if (template_has_variables(argv[0]))
		return source_error(&job->source, 0, NULL,
		    "the command itself must be written out; variables belong "
		    "to its arguments");
	lint_command(job, argv, argc);
	return true;
}

/* Every forward of the rule is told the same. */
#define EACH_FORWARD(job, action)                                              \
	for (size_t i_ = 0; i_ < (job)->rule->blueprint_count; i_++)           \
		for (struct action *action =                                   \
			 &(job)->rule->blueprints[i_].fixed;                   \
		     action != NULL && action->kind == ACTION_FORWARD;         \
		     action = NULL)

bool
rule_set_as(const struct rule_job *job)
{
	static const struct rule_word words[] = {{"attach", FORWARD_ATTACH},
	    {"redirect", FORWARD_REDIRECT}, {"inline", FORWARD_INLINE},
	    {NULL, 0}};
	int mode;

	if (!rule_job_read_word(job, words, &mode))
		return false;
	job->rule->as_place = job->source.place;
	EACH_FORWARD(job, action)
	action->mode = (enum forward_mode)mode;
	return true;
}

bool
rule_set_unknown(const struct rule_job *job)
{
	static const struct rule_word words[] = {{"resend", UNKNOWN_RESEND},
	    {"hold", UNKNOWN_HOLD}, {"drop", UNKNOWN_DROP}, {NULL, 0}};
	int unknown;

	if (!rule_job_read_word(job, words, &unknown))
		return false;
	EACH_FORWARD(job, action)
	action->unknown = (enum forward_unknown)unknown;
	return true;
}

bool
rule_set_allow(const struct rule_job *job)
{
	static const char *const names[] = {"list", "auto", "junk", NULL};
	bool list = false, automatic = false, junk = false;
	size_t pos = 0, offset;
	struct span word;

	while (rule_job_next_piece(job, " \t,", &pos, &word, &offset)) {
		if (span_is(word, "list"))
			list = true;
		else if (span_is(word, "auto"))
			automatic = true;
		else if (span_is(word, "junk"))
			junk = true;
		else
			return source_error_near(&job->source, offset, word,
			    names,
			    "`allow` knows list, auto and junk, not `%.*s`",
			    SPAN_FMT(word));
	}
	EACH_FORWARD(job, action)
	{
		action->allow_list = list;
		action->allow_auto = automatic;
		action->allow_junk = junk;
	}
	return true;
}

bool
rule_set_retry(const struct rule_job *job)
{
	uint32_t retry;

	if (!span_to_u32(job->source.text, &retry) || retry > RULE_RETRY_MAX)
		return source_error(&job->source, 0, NULL,
		    "a number from 0 to %d is expected", RULE_RETRY_MAX);
	rule_find_blueprint(job->rule, ACTION_EXEC)->fixed.retry = retry;
	return true;
}

bool
rule_set_repeat(const struct rule_job *job)
{
	if (!rule_job_read_only(job, "safe"))
		return false;
	rule_find_blueprint(job->rule, ACTION_EXEC)->fixed.repeat_safe = true;
	return true;
}

bool
rule_set_stdin(const struct rule_job *job)
{
	static const struct rule_word words[] = {
	    {"header", 0}, {"message", 1}, {NULL, 0}};
	int value;

	if (!rule_job_read_word(job, words, &value))
		return false;
	rule_find_blueprint(job->rule, ACTION_EXEC)->fixed.stdin_message =
	    value != 0;
	return true;
}
