/* completions: what a shell must know, from the tables. */
#include "daemon/base/xalloc.h"
#include "daemon/control/ctl_names.h"
#include "daemon/control/ctl_shells.h"

typedef void option_fn(struct buf *out, const struct ctl_option *option);

static void
each_option(struct buf *out, const struct ctl_option *options, option_fn *fn)
{
	for (size_t i = 0; options != NULL && options[i].name != NULL; i++)
		fn(out, &options[i]);
}

/* What can be completed, by how the word that stands for it in the help begins
 * ("RULE" is RULES and RULE..., too): names, of a kind that ctl_names.h has, or
 * one of some words; else files. */
struct value {
	const char *help, *names, *words;
};

static const struct value values[] = {
    {"FILE", NULL, NULL},
    {"PATH", NULL, NULL},
    {"ACCOUNT", "accounts", NULL},
    {"RULE", "rules", NULL},
    {"MAILBOX", "mailboxes", NULL},
    {"PROVIDER", "providers", NULL},
    {"BAR", NULL, "waybar i3blocks polybar"},
    {"ORDER", NULL, "file hits last time"},
    {"OUTCOME", NULL, "done failed skipped unknown open observed"},
    {NULL, NULL, NULL},
};

/* The row of NULL: nothing is known of it. */
static const struct value *
value_of(const struct ctl_option *option)
{
	const struct value *value = values;

	while (value->help != NULL &&
	       !span_starts(span_from_str(option->value), value->help))
		value++;
	return value;
}

static bool
is_file(const struct value *value)
{
	return value->help != NULL && value->names == NULL &&
	       value->words == NULL;
}

/* Arguments that are names; NULL: they are not. */
static const char *
names_of(const struct ctl_command *command)
{
	static const struct {
		const char *words, *names;
	} rows[] = {
	    {"ACCOUNT/", "places"},
	    {"ACCOUNT[/", "places"},
	    {"ACCOUNT", "accounts"},
	    {"NAME|DOMAIN", "providers"},
	    {"ID...", "forwards"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (strstr(command->arguments, rows[i].words) != NULL)
			return rows[i].names;
	return NULL;
}

static bool
takes_files(const struct ctl_command *command)
{
	return strstr(command->arguments, "FILE") != NULL;
}

/* "bash|zsh|fish", "[show|drop ID...]": the first argument is one of ours;
 * "[NAME|DOMAIN]" is not. */
static bool
takes_words(const struct ctl_command *command)
{
	const char *words = command->arguments;

	words += *words == '[';
	return strchr(words, '|') != NULL && *words >= 'a' && *words <= 'z' &&
	       !takes_files(command);
}

/* The words of `arguments`, or the names of all commands, with blanks. */
static void
add_words(struct buf *out, const struct ctl_command *command)
{
	const char *words = command->arguments;

	if (command->run == ctl_help)
		for (size_t i = 0; ctl_commands[i].name != NULL; i++)
			buf_addf(out, " %s", ctl_commands[i].name);
	if (!takes_words(command))
		return;
	buf_add_char(out, ' ');
	for (words += *words == '['; *words != '\0' && *words != ' '; words++)
		buf_add_char(out, *words == '|' ? ' ' : *words);
}

/* ---- bash ---- */

static void
bash_option(struct buf *out, const struct ctl_option *option)
{
	if (option->letter != '\0')
		buf_addf(out, " -%c", option->letter);
	buf_addf(out, " --%s", option->name);
}

/* The first of each name, whatever commands have it. */
static void
bash_pattern(
    struct buf *all, const struct ctl_option *option, const struct value *value)
{
	STR_AUTO name =
	    option->value != NULL ? xasprintf("--%s", option->name) : NULL;

	if (name == NULL || value_of(option) != value ||
	    strstr(buf_str(all), name) != NULL)
		return;
	if (all->len > 0)
		buf_add_char(all, '|');
	if (option->letter != '\0')
		buf_addf(all, "-%c|", option->letter);
	buf_add_str(all, name);
}

/* "\t-c|--config)", and what comes behind such options. */
static void
bash_value(struct buf *out, const struct value *value)
{
	BUF_AUTO all = BUF_INIT;
	const struct ctl_option *option = ctl_global_options;

	for (; option->name != NULL; option++)
		bash_pattern(&all, option, value);
	for (size_t i = 0; ctl_commands[i].name != NULL; i++) {
		option = ctl_commands[i].options;
		for (; option != NULL && option->name != NULL; option++)
			bash_pattern(&all, option, value);
	}
	buf_addf(out, "\t%s)\n", buf_str(&all));
	if (value->names != NULL)
		buf_addf(out, "\t\t_belfryctl_names %s\n", value->names);
	else if (value->words != NULL)
		buf_addf(out,
		    "\t\tCOMPREPLY=($(compgen -W '%s' -- \"$cur\"))\n",
		    value->words);
	else if (is_file(value))
		buf_add_str(out, "\t\t_belfryctl_files -f\n");
	buf_add_str(out, "\t\treturn\n\t\t;;\n");
}

static void
bash_command(struct buf *out, const struct ctl_command *command)
{
	const char *names = names_of(command);

	buf_addf(out, "\t%s)\n\t\twords='", command->name);
	each_option(out, command->options, bash_option);
	add_words(out, command);
	buf_add_str(out, "'\n");
	if (takes_files(command))
		buf_add_str(out, "\t\tfiles=-f\n");
	if (names != NULL)
		buf_addf(out, "\t\tnames=%s\n", names);
	buf_add_str(out, "\t\t;;\n");
}

static void
add_bash(struct buf *out)
{
	const struct value *value = values;

	buf_add_str(out, shells_bash_head);
	do
		bash_value(out, value);
	while ((value++)->help != NULL);
	buf_add_str(out, "\tesac\n\tlocal globals='");
	each_option(out, ctl_global_options, bash_option);
	buf_add_str(out, "'\n\tcase $command in\n\t'')\n\t\twords='");
	for (size_t i = 0; ctl_commands[i].name != NULL; i++)
		buf_addf(out, " %s", ctl_commands[i].name);
	buf_add_str(out, "'\n\t\t;;\n");
	for (size_t i = 0; ctl_commands[i].name != NULL; i++)
		bash_command(out, &ctl_commands[i]);
	buf_add_str(out, shells_bash_tail);
}

/* Inside single quotes: `quote` stands for one. */
static void
add_quoted(struct buf *out, const char *text, const char *quote)
{
	for (const char *c = text; *c != '\0'; c++)
		if (*c == '\'')
			buf_add_str(out, quote);
		else
			buf_add_char(out, *c);
}

/* ---- zsh ---- */

#define ZSH_QUOTE "'\\''"

static void
zsh_value(struct buf *out, const char *help, const struct value *value)
{
	buf_addf(out, ":%s:", help);
	if (value->names != NULL)
		buf_addf(out, "{_belfryctl_names %s}", value->names);
	else if (value->words != NULL)
		buf_addf(out, "(%s)", value->words);
	else if (is_file(value))
		buf_add_str(out, "_files");
}

/* Inside '...[...]': no word of ours has a bracket. A value may be in the same
 * word ("+", "="). */
static void
zsh_option(struct buf *out, const struct ctl_option *option)
{
	bool has_value = option->value != NULL;

	buf_add_str(out, " \\\n\t\t\t");
	if (option->letter != '\0')
		buf_addf(out, "'(-%c --%s)'{-%c%s,--%s", option->letter,
		    option->name, option->letter, has_value ? "+" : "",
		    option->name);
	else
		buf_addf(out, "'--%s", option->name);
	if (has_value)
		buf_add_char(out, '=');
	if (option->letter != '\0')
		buf_add_str(out, "}'");
	buf_add_char(out, '[');
	add_quoted(out, option->help, ZSH_QUOTE);
	buf_add_char(out, ']');
	if (option->value != NULL)
		zsh_value(out, option->value, value_of(option));
	buf_add_char(out, '\'');
}

static void
zsh_arguments(struct buf *out, const struct ctl_command *command)
{
	const char *names = names_of(command);
	BUF_AUTO words = BUF_INIT;

	add_words(&words, command);
	if (words.len > 0)
		buf_addf(out, " \\\n\t\t\t'1:word:(%s)'", buf_str(&words) + 1);
	if (takes_files(command) && names != NULL)
		buf_addf(out,
		    " \\\n\t\t\t'*:file:{_files; _belfryctl_names %s}'", names);
	else if (takes_files(command))
		buf_add_str(out, " \\\n\t\t\t'*:file:_files'");
	else if (names != NULL)
		buf_addf(
		    out, " \\\n\t\t\t'*:name:{_belfryctl_names %s}'", names);
}

static void
add_zsh(struct buf *out)
{
	buf_add_str(out, shells_zsh_head);
	for (size_t i = 0; ctl_commands[i].name != NULL; i++) {
		buf_addf(out, "\t'%s:", ctl_commands[i].name);
		add_quoted(out, ctl_commands[i].summary, ZSH_QUOTE);
		buf_add_str(out, "'\n");
	}
	buf_add_str(out, ")\n"
			 "local curcontext=$curcontext state line\n"
			 "_arguments -C");
	each_option(out, ctl_global_options, zsh_option);
	buf_add_str(out, " \\\n\t\t\t'1:command:->command' "
			 "'*::argument:->argument' && return\n"
			 "case $state in\n"
			 "command)\n"
			 "\t_describe command commands\n"
			 "\t;;\n"
			 "argument)\n"
			 "\tcase $words[1] in\n");
	for (size_t i = 0; ctl_commands[i].name != NULL; i++) {
		buf_addf(out, "\t%s)\n\t\t_arguments", ctl_commands[i].name);
		each_option(out, ctl_commands[i].options, zsh_option);
		each_option(out, ctl_global_options, zsh_option);
		zsh_arguments(out, &ctl_commands[i]);
		buf_add_str(out, "\n\t\t;;\n");
	}
	buf_add_str(out, "\tesac\n\t;;\nesac\n");
}

/* ---- fish ---- */

#define FISH_QUOTE "\\'"

static void
fish_value(struct buf *out, const struct value *value)
{
	if (is_file(value)) {
		buf_add_str(out, " -r -F");
		return;
	}
	buf_add_str(out, " -x");
	if (value->names != NULL)
		buf_addf(out, " -a '(__belfryctl_names %s)'", value->names);
	else if (value->words != NULL)
		buf_addf(out, " -a '%s'", value->words);
}

static void
fish_arguments(struct buf *out, const char *command, const char *what)
{
	buf_addf(out,
	    "complete -c belfryctl -n '__fish_seen_subcommand_from %s' %s\n",
	    command, what);
}

static void
fish_option(struct buf *out, const struct ctl_option *option)
{
	if (option->letter != '\0')
		buf_addf(out, " -s %c", option->letter);
	buf_addf(out, " -l %s", option->name);
	if (option->value != NULL)
		fish_value(out, value_of(option));
	buf_add_str(out, " -d '");
	add_quoted(out, option->help, FISH_QUOTE);
	buf_add_str(out, "'\n");
}

static void
fish_command(struct buf *out, const struct ctl_command *command)
{
	const struct ctl_option *option = command->options;
	BUF_AUTO words = BUF_INIT;

	buf_addf(out,
	    "complete -c belfryctl -n __fish_use_subcommand -a %s -d '",
	    command->name);
	add_quoted(out, command->summary, FISH_QUOTE);
	buf_add_str(out, "'\n");
	for (; option != NULL && option->name != NULL; option++) {
		buf_addf(out,
		    "complete -c belfryctl "
		    "-n '__fish_seen_subcommand_from %s'",
		    command->name);
		fish_option(out, option);
	}
	add_words(&words, command);
	if (takes_files(command))
		fish_arguments(out, command->name, "-F");
	if (words.len > 0) {
		STR_AUTO what = xasprintf("-a '%s'", buf_str(&words) + 1);
		fish_arguments(out, command->name, what);
	}
	if (names_of(command) != NULL) {
		STR_AUTO what =
		    xasprintf("-a '(__belfryctl_names %s)'", names_of(command));
		fish_arguments(out, command->name, what);
	}
}

static void
fish_global(struct buf *out, const struct ctl_option *option)
{
	buf_add_str(out, "complete -c belfryctl");
	fish_option(out, option);
}

static void
add_fish(struct buf *out)
{
	buf_add_str(out, shells_fish_head);
	each_option(out, ctl_global_options, fish_global);
	for (size_t i = 0; ctl_commands[i].name != NULL; i++)
		fish_command(out, &ctl_commands[i]);
}

static const struct {
	const char *name;
	void (*add)(struct buf *out);
} shells[] = {
    {"bash", add_bash},
    {"zsh", add_zsh},
    {"fish", add_fish},
};

int
ctl_completions(struct ctl *ctl)
{
	BUF_AUTO out = BUF_INIT;

	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++) {
		if (strcmp(ctl->arguments[0], shells[i].name) == 0) {
			shells[i].add(&out);
			return ctl_finish(&out, EX_OK);
		}
	}
	if (ctl_names_add(ctl, ctl->arguments[0], &out))
		return ctl_finish(&out, EX_OK);
	return ctl_fail(ctl, EX_USAGE, "bash, zsh or fish",
	    "there are no completions for %s", ctl->arguments[0]);
}
