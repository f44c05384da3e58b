/*
 * ctl_folder: the files of a folder and of the folders in it.
 *
 * Three kinds of folder are told apart: a Maildir (it has cur and new; its
 * messages are in these, and folders beside them are mailboxes, whether
 * ".Lists.lkml" as Maildir++ has it or "Lists/lkml"), a folder of MH (it has
 * .mh_sequences; its messages are the files whose name is a number), and a
 * plain one, whose visible files are all read. Files come in the order of
 * their names' bytes, numbers in the order of numbers, a folder's own before
 * those of the folders in it.
 *
 * Symbolic links are followed, but no folder is entered inside of itself.
 * What is neither file nor folder is passed over and never opened.
 */
#ifndef BELFRY_CONTROL_CTL_FOLDER_H
#define BELFRY_CONTROL_CTL_FOLDER_H

#include "daemon/base/error.h"
#include "daemon/control/ctl_ahead.h"

#define CTL_FOLDER_DEPTH_MAX 32
#define CTL_FOLDER_NAMES_MAX 2000000 /* of one folder; more are left out */

/* All of it is borrowed for the call. */
struct ctl_entry {
	const char *path;
	/* The file, with its name and its beginning; `fd` is the receiver's
	 * to close. */
	const struct ctl_ahead_file *file;
	const char *mailbox; /* below the folder that was named, '/' between
				levels; NULL: that folder itself, or plain */
	bool is_maildir;
};

struct ctl_folder_sink {
	void (*entry)(void *ctx, const struct ctl_entry *entry);
	void (*unreadable)(
	    void *ctx, const char *path, const struct error *error);
	void *ctx;
};

void ctl_folder_walk(const char *path, const struct ctl_folder_sink *sink);

#endif
