/*
 * ctl_table: lines whose columns stand below each other.
 *
 * Cells are cleaned (ctl_add_clean) when they are added. Widths are those of a
 * terminal (base/width.h); the last column is not padded. What is too wide for
 * the terminal, when there is one: the last column is broken into lines, in
 * its place or below the others, and the widest of the others are cut; where
 * not even the heads fit, each cell has a line, behind its head.
 */
#ifndef BELFRY_CONTROL_CTL_TABLE_H
#define BELFRY_CONTROL_CTL_TABLE_H

#include "daemon/control/ctl.h"

#define CTL_COLUMNS_MAX 8

struct ctl_table {
	size_t columns; /* at most CTL_COLUMNS_MAX */
	struct strv cells;
	unsigned char *colors; /* enum ctl_color, by cell; owned */
	size_t color_count;
	bool has_heads; /* the first row names the columns */
};

void ctl_table_init(struct ctl_table *table, size_t columns);
void ctl_table_done(struct ctl_table *table);
/* Rows are filled cell by cell; NULL is an empty cell. */
void ctl_table_add(struct ctl_table *table, const char *text);
void ctl_table_add_int(struct ctl_table *table, int64_t value);
/* Colours the cell that was added last, where there is colour. */
void ctl_table_paint(
    struct ctl_table *table, const struct ctl *ctl, enum ctl_color color);
void ctl_table_print(
    const struct ctl_table *table, struct buf *out, const char *indent);

#endif
