#include "daemon/control/ctl_table.h"

#include <assert.h>
#include <inttypes.h>

#include "daemon/base/width.h"
#include "daemon/base/xalloc.h"

#define CELL_MIN 6  /* columns, of a cell that is cut */
#define LAST_MIN 20 /* of the last, else it stands below the others */

void
ctl_table_init(struct ctl_table *table, size_t columns)
{
	assert(columns > 0 && columns <= CTL_COLUMNS_MAX);
	*table = (struct ctl_table){.columns = columns};
}

void
ctl_table_done(struct ctl_table *table)
{
	strv_done(&table->cells);
	free(table->colors);
	table->colors = NULL;
	table->color_count = 0;
}

void
ctl_table_add(struct ctl_table *table, const char *text)
{
	BUF_AUTO cell = BUF_INIT;

	ctl_add_clean(&cell, text, CTL_CELL_MAX);
	strv_add(&table->cells, buf_str(&cell));
}

void
ctl_table_add_int(struct ctl_table *table, int64_t value)
{
	STR_AUTO text = xasprintf("%" PRId64, value);

	strv_add(&table->cells, text);
}

void
ctl_table_paint(
    struct ctl_table *table, const struct ctl *ctl, enum ctl_color color)
{
	size_t count = table->cells.len;

	if (!ctl->color || color == CTL_PLAIN)
		return;
	table->colors = xreallocarray(table->colors, count, 1);
	while (table->color_count < count)
		table->colors[table->color_count++] = CTL_PLAIN;
	table->colors[count - 1] = (unsigned char)color;
}

/* How the rows are laid out, measured before the first. */
struct layout {
	size_t widths[CTL_COLUMNS_MAX];
	size_t last;  /* where the last column begins */
	size_t max;   /* columns of the terminal; 0: none */
	bool wraps;   /* the last column is broken into lines, */
	bool below;   /* and these stand below the others */
	bool stacked; /* too narrow for columns: a line for each cell */
	size_t below_at;
};

static size_t
columns_of(const char *text)
{
	return width_of(span_from_str(text));
}

static void
measure(const struct ctl_table *table, struct layout *layout)
{
	for (size_t i = 0; i < table->cells.len; i++) {
		size_t width = columns_of(table->cells.items[i]);
		if (width > layout->widths[i % table->columns])
			layout->widths[i % table->columns] = width;
	}
}

static size_t
begin_of_last(
    const struct ctl_table *table, const struct layout *layout, size_t indent)
{
	size_t at = indent;

	for (size_t i = 0; i + 1 < table->columns; i++)
		at += layout->widths[i] + 2;
	return at;
}

/* A column keeps the width of its head. */
static size_t
least(const struct ctl_table *table, size_t column)
{
	size_t head =
	    table->has_heads ? columns_of(table->cells.items[column]) : 0;

	return head > CELL_MIN ? head : CELL_MIN;
}

/* Takes from the widest what is too much. False: it cannot be spared. */
static bool
narrow(const struct ctl_table *table, struct layout *layout)
{
	while (layout->last > layout->max + 2) {
		size_t widest = SIZE_MAX;
		for (size_t i = 0; i + 1 < table->columns; i++)
			if (layout->widths[i] > least(table, i) &&
			    (widest == SIZE_MAX ||
				layout->widths[i] > layout->widths[widest]))
				widest = i;
		if (widest == SIZE_MAX)
			return false;
		layout->widths[widest]--;
		layout->last--;
	}
	return true;
}

static void
lay_out(
    const struct ctl_table *table, struct layout *layout, const char *indent)
{
	size_t width;

	*layout = (struct layout){.max = ctl_columns()};
	measure(table, layout);
	width = layout->widths[table->columns - 1];
	layout->last = begin_of_last(table, layout, strlen(indent));
	layout->below_at = strlen(indent) + 4;
	if (layout->max == 0 || layout->last + width <= layout->max)
		return;
	layout->wraps = true;
	layout->below = layout->last + LAST_MIN > layout->max;
	layout->stacked = !narrow(table, layout);
}

/* Blanks at the end of a line serve nobody. */
static void
trim_line(struct buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		buf_truncate(out, out->len - 1);
	buf_add_char(out, '\n');
}

static enum ctl_color
color_of(const struct ctl_table *table, size_t index)
{
	return index < table->color_count ? (enum ctl_color)table->colors[index]
					  : CTL_PLAIN;
}

static void
add_colored(const struct ctl_table *table, struct buf *out, size_t index,
    const char *text)
{
	const struct ctl colored = {.color = true};

	ctl_add_colored(&colored, out, color_of(table, index), text);
}

/* What is too wide ends with an ellipsis. */
static void
add_cell(const struct ctl_table *table, const struct layout *layout,
    struct buf *out, size_t index)
{
	const char *text = table->cells.items[index];
	size_t width = layout->widths[index % table->columns];
	size_t used = columns_of(text);
	BUF_AUTO cut = BUF_INIT;

	if (used > width) {
		struct span all = span_from_str(text);
		buf_add_span(
		    &cut, span_slice(all, 0, width_cut(all, width - 1)));
		buf_add_str(&cut, "\u2026");
		text = buf_str(&cut);
		used = columns_of(text);
	}
	add_colored(table, out, index, text);
	buf_addf(out, "%*s", (int)(width - used), "");
}

static void
add_last(const struct ctl_table *table, const struct layout *layout,
    struct buf *out, size_t index)
{
	const char *text = table->cells.items[index];
	size_t at = layout->below ? layout->below_at : layout->last;
	bool is_head = table->has_heads && index < table->columns;
	BUF_AUTO lines = BUF_INIT;

	if (!layout->wraps) {
		add_colored(table, out, index, text);
		trim_line(out);
		return;
	}
	if (layout->below) {
		trim_line(out);
		if (is_head || text[0] == '\0')
			return;
		buf_addf(out, "%*s", (int)at, "");
	}
	ctl_add_wrapped(&lines, layout->max, at, at, text);
	add_colored(table, out, index, buf_str(&lines));
	trim_line(out);
}

/* ---- where no columns fit ---- */

static void
add_stacked_cell(const struct ctl_table *table, const struct layout *layout,
    struct buf *out, size_t index, size_t indent)
{
	size_t column = index % table->columns;
	const char *head =
	    table->has_heads && column > 0 ? table->cells.items[column] : "";
	size_t at = column > 0 ? indent + 2 : indent, used = at;
	BUF_AUTO lines = BUF_INIT;

	if (table->cells.items[index][0] == '\0')
		return;
	buf_addf(out, "%*s%s%s", (int)at, "", head, *head != '\0' ? " " : "");
	if (*head != '\0')
		used += columns_of(head) + 1;
	ctl_add_wrapped(
	    &lines, layout->max, used, at + 2, table->cells.items[index]);
	add_colored(table, out, index, buf_str(&lines));
	trim_line(out);
}

static void
print_stacked(const struct ctl_table *table, const struct layout *layout,
    struct buf *out, size_t indent)
{
	size_t first = table->has_heads ? table->columns : 0;

	for (size_t i = first; i < table->cells.len; i++)
		add_stacked_cell(table, layout, out, i, indent);
}

void
ctl_table_print(
    const struct ctl_table *table, struct buf *out, const char *indent)
{
	struct layout layout;

	lay_out(table, &layout, indent);
	if (layout.stacked) {
		print_stacked(table, &layout, out, strlen(indent));
		return;
	}
	for (size_t i = 0; i < table->cells.len; i++) {
		size_t column = i % table->columns;
		bool is_last = column + 1 == table->columns;
		buf_add_str(out, column == 0 ? indent : "  ");
		if (is_last)
			add_last(table, &layout, out, i);
		else
			add_cell(table, &layout, out, i);
	}
}
