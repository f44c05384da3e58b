#include "daemon/oauth2/callback.h"

#include "daemon/oauth2/request.h"

/* ---- the request ---- */

struct query {
	struct buf code, state, error, description;
	bool is_bad; /* one of them twice, or not well-formed */
};

static void
query_done(struct query *query)
{
	buf_wipe(&query->code);
	buf_wipe(&query->state);
	buf_done(&query->error);
	buf_done(&query->description);
}

/*
 *   query = *( name "=" value [ "&" ] )
 *
 * RFC 6749 section 3.1: no parameter more than once.
 */
static void
read_query(struct span text, struct query *query)
{
	const struct {
		const char *name;
		struct buf *value;
	} fields[] = {
	    {"code", &query->code},
	    {"state", &query->state},
	    {"error", &query->error},
	    {"error_description", &query->description},
	};
	struct span pair;

	while (span_split(&text, '&', &pair)) {
		size_t at = span_find(pair, '=');
		if (at == SIZE_MAX)
			continue;
		for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
			if (!span_is(span_slice(pair, 0, at), fields[i].name))
				continue;
			if (fields[i].value->len > 0 ||
			    !oauth2_decode(
				span_skip(pair, at + 1), fields[i].value))
				query->is_bad = true;
		}
	}
}

/*
 *   request-line = "GET" SP "/" [ "?" query ] SP "HTTP/1." DIGIT CRLF
 *                                               (RFC 9112 section 3)
 */
static unsigned
split_target(struct span request, struct span *query_r)
{
	struct span line = span_slice(request, 0, span_line_length(request));
	struct span method, target, version;

	if (!span_split(&line, ' ', &method) ||
	    !span_split(&line, ' ', &target) ||
	    !span_split(&line, ' ', &version) || line.data != NULL ||
	    !span_starts(version, "HTTP/1.") || version.len != 8)
		return 400;
	if (!span_is(method, "GET"))
		return 405;
	if (!span_starts(target, "/?"))
		return 404;
	*query_r = span_skip(target, 2);
	return 200;
}

static bool
is_whole(struct span request)
{
	return span_find_span(request, SPAN("\r\n\r\n"), 0) != SIZE_MAX;
}

static void
read_answer(const struct query *query, struct oauth2_callback *callback)
{
	bool has_code = query->code.len > 0 && query->code.len <= SECRET_MAX;

	if (query->error.len > 0) {
		callback->kind = OAUTH2_CALLBACK_FAILED;
		callback->why = oauth2_error_read(buf_str(&query->error),
		    buf_str(&query->description), &callback->error);
	} else if (has_code && !query->is_bad) {
		callback->kind = OAUTH2_CALLBACK_CODE;
		secret_set(&callback->code, buf_span(&query->code));
	} else {
		callback->kind = OAUTH2_CALLBACK_FAILED;
		callback->why = OAUTH2_GARBAGE;
		error_set(&callback->error, FAULT_PEER,
		    "the browser brought neither a code nor an error");
	}
}

void
oauth2_callback_read(
    struct span request, struct span state, struct oauth2_callback *callback_r)
{
	struct query query = {.is_bad = false};
	struct span text = SPAN_EMPTY;

	*callback_r = (struct oauth2_callback)OAUTH2_CALLBACK_INIT;
	if (!is_whole(request)) {
		callback_r->kind = request.len < OAUTH2_CALLBACK_MAX
				       ? OAUTH2_CALLBACK_MORE
				       : OAUTH2_CALLBACK_FOREIGN;
		callback_r->status = 431;
		return;
	}
	callback_r->kind = OAUTH2_CALLBACK_FOREIGN;
	callback_r->status = split_target(request, &text);
	if (callback_r->status != 200)
		return;
	read_query(text, &query);
	if (oauth2_is_same(buf_span(&query.state), state))
		read_answer(&query, callback_r);
	else
		callback_r->status = 403;
	query_done(&query);
}

void
oauth2_callback_done(struct oauth2_callback *callback)
{
	secret_wipe(&callback->code);
}

/* ---- the page ---- */

void
oauth2_add_page(
    struct buf *out, unsigned status, const char *title, const char *text)
{
	BUF_AUTO page = BUF_INIT;

	buf_addf(&page,
	    "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">"
	    "<meta name=\"viewport\" content=\"width=device-width\">"
	    "<title>%s</title><style>:root{color-scheme:light dark}"
	    "body{font:1.1rem/1.5 system-ui,sans-serif;max-width:32rem;"
	    "margin:20vh auto;padding:0 1rem}</style></head><body><h1>%s</h1>"
	    "<p>%s</p></body></html>\n",
	    title, title, text);
	buf_addf(out,
	    "HTTP/1.1 %u %s\r\nContent-Type: text/html; charset=utf-8\r\n"
	    "Content-Length: %zu\r\nCache-Control: no-store\r\n"
	    "Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff"
	    "\r\nContent-Security-Policy: default-src 'none'; "
	    "style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"
	    "Connection: close\r\n\r\n",
	    status, status == 200 ? "OK" : "Refused", page.len);
	buf_add_span(out, buf_span(&page));
}
