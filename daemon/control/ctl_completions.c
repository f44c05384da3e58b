/* completions: what a shell must know, from the tables. */
#include "daemon/control/ctl.h"

typedef void option_fn(struct buf *out, const struct ctl_option *option);

static void
each_option(struct buf *out, const struct ctl_option *options, option_fn *fn)
{
	for (size_t i = 0; options != NULL && options[i].name != NULL; i++)
		fn(out, &options[i]);
}

static bool
is_file(const char *value)
{
	return strcmp(value, "FILE") == 0 || strcmp(value, "PATH") == 0;
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

static void
bash_pattern(struct buf *out, const struct ctl_option *option)
{
	const char *joint =
	    out->len > 0 && out->data[out->len - 1] != '\t' ? "|" : "";

	if (option->value == NULL)
		return;
	if (option->letter != '\0') {
		buf_addf(out, "%s-%c", joint, option->letter);
		joint = "|";
	}
	buf_addf(out, "%s--%s", joint, option->name);
}

static void
bash_file_pattern(struct buf *out, const struct ctl_option *option)
{
	if (option->value != NULL && is_file(option->value))
		bash_pattern(out, option);
}

static void
bash_other_pattern(struct buf *out, const struct ctl_option *option)
{
	if (option->value != NULL && !is_file(option->value))
		bash_pattern(out, option);
}

static void
bash_command(struct buf *out, const struct ctl_command *command)
{
	buf_addf(out, "\t%s)\n\t\twords='", command->name);
	each_option(out, command->options, bash_option);
	add_words(out, command);
	buf_addf(
	    out, "'\n%s\t\t;;\n", takes_files(command) ? "\t\tfiles=-f\n" : "");
}

static const char bash_head[] =
    "# bash completion for belfryctl(1), "
    "made by: belfryctl completions bash\n"
    "_belfryctl()\n"
    "{\n"
    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "\tlocal command= words= files= i\n"
    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
    "\t\tcase ${COMP_WORDS[i]} in\n"
    "\t\t";
static const char bash_middle[] = ")\n"
				  "\t\t\t((i++))\n"
				  "\t\t\t;;\n"
				  "\t\t-*) ;;\n"
				  "\t\t*)\n"
				  "\t\t\tcommand=${COMP_WORDS[i]}\n"
				  "\t\t\tbreak\n"
				  "\t\t\t;;\n"
				  "\t\tesac\n"
				  "\tdone\n"
				  "\tcase $prev in\n"
				  "\t";
static const char bash_files[] = ")\n"
				 "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
				 "\t\treturn\n"
				 "\t\t;;\n"
				 "\t";
static const char bash_tail[] =
    "\tesac\n"
    "\t[[ $cur == -* ]] && words+=\" $globals\"\n"
    "\tCOMPREPLY=($(compgen $files -W \"$words\" -- \"$cur\"))\n"
    "}\n"
    "complete -o filenames -F _belfryctl belfryctl\n";

/* Each option once, whatever commands have it. */
static void
bash_patterns(struct buf *out, option_fn *fn)
{
	BUF_AUTO all = BUF_INIT;
	BUF_AUTO one = BUF_INIT;

	buf_add_char(&all, '\t');
	each_option(&all, ctl_global_options, fn);
	for (size_t i = 0; ctl_commands[i].name != NULL; i++) {
		const struct ctl_option *options = ctl_commands[i].options;
		for (; options != NULL && options->name != NULL; options++) {
			buf_clear(&one);
			buf_addf(&one, "--%s", options->name);
			if (strstr(buf_str(&all), buf_str(&one)) == NULL)
				fn(&all, options);
		}
	}
	buf_add_span(out, span_skip(buf_span(&all), 1));
}

static void
add_bash(struct buf *out)
{
	buf_add_str(out, bash_head);
	each_option(out, ctl_global_options, bash_pattern);
	buf_add_str(out, bash_middle);
	bash_patterns(out, bash_file_pattern);
	buf_add_str(out, bash_files);
	bash_patterns(out, bash_other_pattern);
	buf_add_str(out, ")\n\t\treturn\n\t\t;;\n\tesac\n\tlocal globals='");
	each_option(out, ctl_global_options, bash_option);
	buf_add_str(out, "'\n\tcase $command in\n\t'')\n\t\twords='");
	for (size_t i = 0; ctl_commands[i].name != NULL; i++)
		buf_addf(out, " %s", ctl_commands[i].name);
	buf_add_str(out, "'\n\t\t;;\n");
	for (size_t i = 0; ctl_commands[i].name != NULL; i++)
		bash_command(out, &ctl_commands[i]);
	buf_add_str(out, bash_tail);
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

/* Inside '...[...]': no word of ours has a bracket. */
static void
zsh_option(struct buf *out, const struct ctl_option *option)
{
	buf_add_str(out, " \\\n\t\t\t");
	if (option->letter != '\0')
		buf_addf(out, "'(-%c --%s)'{-%c,--%s", option->letter,
		    option->name, option->letter, option->name);
	else
		buf_addf(out, "'--%s", option->name);
	if (option->letter != '\0')
		buf_add_str(out, "}'");
	buf_add_char(out, '[');
	add_quoted(out, option->help, ZSH_QUOTE);
	buf_add_char(out, ']');
	if (option->value != NULL)
		buf_addf(out, ":%s:%s", option->value,
		    is_file(option->value) ? "_files" : "");
	buf_add_char(out, '\'');
}

static void
zsh_arguments(struct buf *out, const struct ctl_command *command)
{
	if (takes_files(command)) {
		buf_add_str(out, " \\\n\t\t\t'*:file:_files'");
		return;
	}
	BUF_AUTO words = BUF_INIT;
	add_words(&words, command);
	if (words.len > 0)
		buf_addf(out, " \\\n\t\t\t'1:word:(%s)'", buf_str(&words) + 1);
}

static void
add_zsh(struct buf *out)
{
	buf_add_str(out, "#compdef belfryctl\n"
			 "# made by: belfryctl completions zsh\n"
			 "local -a commands\n"
			 "commands=(\n");
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
fish_option(struct buf *out, const struct ctl_option *option)
{
	if (option->letter != '\0')
		buf_addf(out, " -s %c", option->letter);
	buf_addf(out, " -l %s%s -d '", option->name,
	    option->value == NULL    ? ""
	    : is_file(option->value) ? " -r -F"
				     : " -x");
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
	if (words.len == 0 && !takes_files(command))
		return;
	buf_addf(out,
	    "complete -c belfryctl -n '__fish_seen_subcommand_from %s'",
	    command->name);
	if (takes_files(command))
		buf_add_str(out, " -F\n");
	else
		buf_addf(out, " -a '%s'\n", buf_str(&words) + 1);
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
	buf_add_str(out, "# fish completion for belfryctl(1), "
			 "made by: belfryctl completions fish\n"
			 "complete -c belfryctl -f\n");
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
	return ctl_fail(ctl, EX_USAGE, "bash, zsh or fish",
	    "there are no completions for %s", ctl->arguments[0]);
}
