#include "daemon/control/ctl_table.h"

#include <assert.h>
#include <inttypes.h>

#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

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

static void
add_cell(const struct ctl_table *table, struct buf *out, size_t index)
{
	const struct ctl colored = {.color = true};
	enum ctl_color color = CTL_PLAIN;

	if (index < table->color_count)
		color = (enum ctl_color)table->colors[index];
	ctl_add_colored(&colored, out, color, table->cells.items[index]);
}

static size_t
width_of(const char *text)
{
	return utf8_count(span_from_str(text));
}

static void
measure(const struct ctl_table *table, size_t *widths)
{
	for (size_t i = 0; i < table->cells.len; i++) {
		size_t width = width_of(table->cells.items[i]);
		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
}

/* Blanks at the end of a line serve nobody. */
static void
trim_line(struct buf *out)
{
	while (out->len > 0 && out->data[out->len - 1] == ' ')
		buf_truncate(out, out->len - 1);
	buf_add_char(out, '\n');
}

void
ctl_table_print(
    const struct ctl_table *table, struct buf *out, const char *indent)
{
	size_t widths[CTL_COLUMNS_MAX] = {0};

	measure(table, widths);
	for (size_t i = 0; i < table->cells.len; i++) {
		size_t column = i % table->columns;
		const char *cell = table->cells.items[i];
		buf_add_str(out, column == 0 ? indent : "  ");
		add_cell(table, out, i);
		if (column + 1 == table->columns)
			trim_line(out);
		else
			buf_addf(out, "%*s",
			    (int)(widths[column] - width_of(cell)), "");
	}
}
