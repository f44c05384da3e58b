/*
 * config/files: the files of a configuration, read whole and with care.
 *
 * Only regular files are read (a FIFO, device or folder is refused before it
 * is opened), at most READER_FILE_MAX bytes each, and only files that belong
 * to this user or to root and that not everybody can write: who can change
 * the configuration can run commands.
 */
#ifndef BELFRY_CONFIG_FILES_H
#define BELFRY_CONFIG_FILES_H

#include "daemon/config/config.h"

/* The main file, then conf.d/[!.]*.conf beside it in the order of their
 * names' bytes. Problems name the file, without a line. */
void files_read(struct config_files *files, const char *path,
    struct rule_problems *problems);
/* A text that stands for the main file; no file is touched. */
void files_add_text(
    struct config_files *files, const char *path, struct span text);
/* Wipes the texts. */
void files_done(struct config_files *files);
/* The same, and keeps the rest. */
void files_forget_texts(struct config_files *files);
/* NULL: not one of them. */
const struct config_file *files_find(
    const struct config_files *files, const char *path);
/* The physical line (from 1) without its end; empty when there is none. */
struct span files_line(const struct config_file *file, unsigned line);

/* The same care for any other file that the configuration names. */
bool files_read_text(
    const char *path, struct buf *text_r, struct error *error_r);
/* For a file that others read later, as certificates. */
bool files_check_readable(const char *path, struct error *error_r);
/* For a file with a secret: FAULT_AUTH when others than this user can read it
 * or write it (a group may read a file of root's, as the service of the whole
 * system needs it); FAULT_CONFIG when it cannot be read at all. */
bool files_check_private(const char *path, struct error *error_r);

#endif
