#include "rules/expr.h"

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define FIRST_BUCKETS 64

size_t
expr_hash(struct span key)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.data[i]) * 1099511628211u;
	return (size_t)(hash ^ hash >> 32);
}

struct expr_node *
expr_node(const struct exprs *exprs, unsigned literal)
{
	return &exprs->nodes[literal / 2];
}

/* The table of nodes. */

static void
put_in_bucket(struct exprs *exprs, size_t index)
{
	struct expr_node *node = &exprs->nodes[index];
	size_t bucket =
	    expr_hash(span_from_str(node->key)) % exprs->bucket_count;

	node->next = exprs->buckets[bucket];
	exprs->buckets[bucket] = index;
}

static void
grow_buckets(struct exprs *exprs)
{
	free(exprs->buckets);
	exprs->bucket_count *= 2;
	exprs->buckets = xcalloc(exprs->bucket_count, sizeof(size_t));
	for (size_t i = 1; i < exprs->count; i++)
		put_in_bucket(exprs, i);
}

/* Of its key; 0 when there is none. */
static size_t
find(const struct exprs *exprs, const char *key)
{
	size_t i =
	    exprs->buckets[expr_hash(span_from_str(key)) % exprs->bucket_count];

	while (i != 0 && strcmp(exprs->nodes[i].key, key) != 0)
		i = exprs->nodes[i].next;
	return i;
}

static size_t
add(struct exprs *exprs, const char *key)
{
	if (exprs->count == exprs->cap) {
		exprs->cap = exprs->cap == 0 ? 64 : 2 * exprs->cap;
		exprs->nodes = xreallocarray(
		    exprs->nodes, exprs->cap, sizeof(*exprs->nodes));
	}
	exprs->nodes[exprs->count] = (struct expr_node){.key = xstrdup(key)};
	exprs->count++;
	if (exprs->count > exprs->bucket_count)
		grow_buckets(exprs);
	else
		put_in_bucket(exprs, exprs->count - 1);
	return exprs->count - 1;
}

void
exprs_init(struct exprs *exprs)
{
	*exprs = (struct exprs){.bucket_count = FIRST_BUCKETS};
	exprs->buckets = xcalloc(FIRST_BUCKETS, sizeof(size_t));
	add(exprs, "true");
}

void
exprs_done(struct exprs *exprs)
{
	for (size_t i = 0; i < exprs->count; i++) {
		free(exprs->nodes[i].kids);
		free(exprs->nodes[i].key);
		free(exprs->nodes[i].hint);
	}
	free(exprs->nodes);
	free(exprs->buckets);
	*exprs = (struct exprs){0};
}

/* Tests. */

static int
compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *
operand_key(const struct test *test, const struct operand *operand)
{
	struct buf key = BUF_INIT;

	if (test->op == OP_IN)
		buf_addf(&key, "%p", (const void *)operand->members);
	else if (test->field->type == FIELD_NUMBER)
		buf_addf(&key, "%lld", (long long)operand->number);
	/* Blanks and all: a value can hold anything but NUL. */
	for (const char *c = operand->text; c != NULL && *c != '\0'; c++)
		buf_add_char(&key, char_to_lower(*c));
	return buf_take_str(&key);
}

/* The same for each order of the values, and without those that are there
 * twice. Lengths keep two values apart from one. */
static void
add_operands(struct buf *key, const struct test *test)
{
	STRV_AUTO texts = STRV_INIT;

	for (size_t i = 0; i < test->operand_count; i++)
		strv_take(&texts, operand_key(test, &test->operands[i]));
	if (texts.len > 1)
		qsort(texts.items, texts.len, sizeof(*texts.items),
		    compare_strings);
	for (size_t i = 0; i < texts.len; i++)
		if (i == 0 || strcmp(texts.items[i - 1], texts.items[i]) != 0)
			buf_addf(key, " %zu:%s", strlen(texts.items[i]),
			    texts.items[i]);
}

static unsigned
expr_of_test(struct exprs *exprs, const struct cond *cond)
{
	const struct test *test = &cond->test;
	bool is_negated = test->op == OP_NOT_MATCH;
	BUF_AUTO key = BUF_INIT;
	struct expr_node *node;
	size_t index;

	buf_addf(&key, "t%zu %d", test->slot,
	    (int)(is_negated ? OP_MATCH : test->op));
	if (test->pattern != NULL)
		buf_addf(
		    &key, " %u %s", test->pattern_flags, test->pattern_text);
	add_operands(&key, test);
	index = find(exprs, buf_str(&key));
	if (index == 0) {
		index = add(exprs, buf_str(&key));
		node = &exprs->nodes[index];
		node->cond = cond;
		node->has_pattern = test->pattern != NULL;
	}
	return 2 * (unsigned)index + is_negated;
}

/* `and`. */

struct literals {
	unsigned *items; /* owned */
	size_t count, cap;
};

static void
add_literal(struct literals *literals, unsigned literal)
{
	if (literals->count == literals->cap) {
		literals->cap = literals->cap == 0 ? 8 : 2 * literals->cap;
		literals->items = xreallocarray(
		    literals->items, literals->cap, sizeof(*literals->items));
	}
	literals->items[literals->count++] = literal;
}

/* An `and` of an `and` is one. */
static void
add_flat(const struct exprs *exprs, struct literals *literals, unsigned literal)
{
	const struct expr_node *node = expr_node(exprs, literal);

	if (literal == EXPR_TRUE)
		return;
	if (node->kid_count == 0 || EXPR_IS_NEGATED(literal)) {
		add_literal(literals, literal);
		return;
	}
	for (size_t i = 0; i < node->kid_count; i++)
		add_literal(literals, node->kids[i]);
}

static int
compare_literals(const void *a, const void *b)
{
	unsigned one = *(const unsigned *)a, two = *(const unsigned *)b;

	return one < two ? -1 : one > two;
}

/* Sorts, and drops what is there twice. False: it can never hold. */
static bool
tidy(struct literals *literals)
{
	size_t kept = 0;

	if (literals->count > 1)
		qsort(literals->items, literals->count,
		    sizeof(*literals->items), compare_literals);
	for (size_t i = 0; i < literals->count; i++) {
		unsigned literal = literals->items[i];

		if (literal == EXPR_FALSE)
			return false;
		if (kept > 0 && literals->items[kept - 1] == literal)
			continue;
		/* They stand side by side. */
		if (kept > 0 && literals->items[kept - 1] == EXPR_NOT(literal))
			return false;
		literals->items[kept++] = literal;
	}
	literals->count = kept;
	return true;
}

static unsigned
intern_and(struct exprs *exprs, struct literals *literals)
{
	BUF_AUTO key = BUF_INIT;
	struct expr_node *node;
	size_t index;

	buf_add_char(&key, '&');
	for (size_t i = 0; i < literals->count; i++)
		buf_addf(&key, " %u", literals->items[i]);
	index = find(exprs, buf_str(&key));
	if (index != 0)
		return 2 * (unsigned)index;
	index = add(exprs, buf_str(&key));
	node = &exprs->nodes[index];
	node->kids = literals->items;
	node->kid_count = literals->count;
	for (size_t i = 0; i < literals->count; i++)
		if (expr_node(exprs, literals->items[i])->has_pattern)
			node->has_pattern = true;
	literals->items = NULL; /* taken */
	return 2 * (unsigned)index;
}

/* With `is_or` of the negations, and negated. */
static unsigned
expr_of_chain(struct exprs *exprs, const struct cond *cond)
{
	unsigned flip = cond->kind == COND_OR;
	struct literals literals = {0};
	unsigned literal;

	for (size_t i = 0; i < cond->kid_count; i++)
		add_flat(
		    exprs, &literals, expr_of(exprs, cond->kids[i]) ^ flip);
	if (!tidy(&literals))
		literal = EXPR_FALSE;
	else if (literals.count == 0)
		literal = EXPR_TRUE;
	else if (literals.count == 1)
		literal = literals.items[0];
	else
		literal = intern_and(exprs, &literals);
	free(literals.items);
	return literal ^ flip;
}

/* As deep as the parser let it become: RULE_NESTING_MAX. */
unsigned
expr_of(struct exprs *exprs, const struct cond *cond)
{
	switch (cond->kind) {
	case COND_ALL:
		return EXPR_TRUE;
	case COND_NOT:
		return EXPR_NOT(expr_of(exprs, cond->kids[0]));
	case COND_AND:
	case COND_OR:
		return expr_of_chain(exprs, cond);
	case COND_TEST:
		break;
	}
	return expr_of_test(exprs, cond);
}
