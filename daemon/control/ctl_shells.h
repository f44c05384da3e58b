/*
 * The parts of the completions of shells that are the same for any commands
 * (ctl_completions.c makes the others): how names are asked for, with the
 * configuration and the socket of the line, and offered.
 */
#ifndef BELFRY_CONTROL_CTL_SHELLS_H
#define BELFRY_CONTROL_CTL_SHELLS_H

/* Up to the options that take values: cases of $prev. */
extern const char shells_bash_head[];
/* Behind what each command has: cases of $command. */
extern const char shells_bash_tail[];
/* Up to the list of the commands. */
extern const char shells_zsh_head[];
/* What the others call. */
extern const char shells_fish_head[];

#endif
