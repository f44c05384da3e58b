/*
 * fuzz-oauth2: whatever an authorization server, a browser or a file says, no
 * token has a control character, no life is beyond its bounds, only our state
 * is believed, what is kept reads back the same, and no secret that was sent is
 * shown when it comes back.
 */
#include <stdint.h>
#include <stdlib.h>

#include "daemon/control/json.h"
#include "daemon/oauth2/callback.h"
#include "daemon/oauth2/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
check_token(const struct secret *secret)
{
	require(secret->len <= SECRET_MAX);
	for (size_t i = 0; i < secret->len; i++)
		require(secret->bytes[i] > ' ' && secret->bytes[i] < 0x7f);
}

static void
check_text(const char *text)
{
	for (; *text != '\0'; text++)
		require((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void
check_answer(unsigned status, struct span body)
{
	struct oauth2_answer answer;

	oauth2_answer_read(status, body, false, body, &answer);
	check_token(&answer.access);
	check_token(&answer.refresh);
	check_text(answer.error.text);
	if (answer.kind == OAUTH2_TOKEN) {
		require(status == 200 && answer.access.len > 0);
		require(answer.life >= 1 && answer.life <= OAUTH2_LIFE_MAX);
	} else {
		require(answer.access.len == 0 && answer.refresh.len == 0);
		require(answer.error.text[0] != '\0');
	}
	oauth2_answer_done(&answer);
}

/* No sentence of ours has it. */
#define MARK "qZ9#"

/* The first line is the end of a secret; the rest is what the server says,
 * where the secret stands for each SOH. */
static void
say_back(struct span rest, struct span secret, struct buf *text)
{
	for (size_t i = 0; i < rest.len; i++)
		if (rest.data[i] == '\x01')
			buf_add_span(text, secret);
		else
			buf_add_char(text, rest.data[i]);
}

static void
read_both(unsigned status, struct span body, struct span form)
{
	struct oauth2_device device = {.code = SECRET_INIT};
	struct oauth2_answer answer;
	struct span mark = SPAN(MARK);

	oauth2_answer_read(status, body, false, form, &answer);
	require(span_find_span(span_from_str(answer.error.text), mark, 0) ==
		SIZE_MAX);
	oauth2_answer_done(&answer);
	oauth2_device_read(status, body, false, form, &device, &answer);
	require(span_find_span(span_from_str(answer.error.text), mark, 0) ==
		SIZE_MAX);
	oauth2_device_done(&device);
	oauth2_answer_done(&answer);
}

/* Whatever is said back, the secret is not shown. */
static void
check_said_back(struct span input)
{
	static const char *const keys[] = {"error", "error_description"};
	struct span rest = input, end = SPAN_EMPTY;
	BUF_AUTO secret = BUF_INIT;

	/* Nor may the server come upon it by itself. */
	if (!span_split(&rest, '\n', &end) || end.len > 200 ||
	    rest.len > 4096 || span_find(rest, 'Z') != SIZE_MAX)
		return;
	for (size_t i = 0; i < end.len; i++)
		if (end.data[i] < ' ' || end.data[i] > '~')
			return;
	buf_add_str(&secret, MARK);
	buf_add_span(&secret, end);
	for (size_t i = 0; i < 4; i++) {
		const struct oauth2_client client = {.provider =
							 oauth2_providers_at(0),
		    .id = "id",
		    .secret = buf_span(&secret)};
		BUF_AUTO text = BUF_INIT, form = BUF_INIT, body = BUF_INIT;
		struct json *json = json_new_object();
		say_back(rest, buf_span(&secret), &text);
		json_set_str(json, "error", "invalid_client");
		json_set_span(json, keys[i % 2], buf_span(&text));
		json_print(json, &body, false);
		json_free(&json);
		if (i < 2)
			oauth2_add_device_form(&form, &client);
		else
			oauth2_add_refresh_form(
			    &form, &client, buf_span(&secret));
		read_both(401, buf_span(&body), buf_span(&form));
	}
}

static void
check_device(struct span body)
{
	struct oauth2_device device = {.code = SECRET_INIT};
	struct oauth2_answer answer;

	if (oauth2_device_read(200, body, false, body, &device, &answer)) {
		check_token(&device.code);
		check_text(device.user_code);
		check_text(device.url);
		require(device.interval >= 1);
		require(device.interval <= OAUTH2_INTERVAL_MAX);
		require(device.life <= OAUTH2_DEVICE_LIFE_MAX);
	}
	oauth2_device_done(&device);
	oauth2_answer_done(&answer);
}

static void
check_callback(struct span request)
{
	struct oauth2_callback callback;

	oauth2_callback_read(request, SPAN("Zm9yZ2VkPw"), &callback);
	if (callback.kind == OAUTH2_CALLBACK_CODE)
		require(span_find_span(request, SPAN("Zm9yZ2VkPw"), 0) !=
			    SIZE_MAX ||
			span_find(request, '%') != SIZE_MAX);
	check_text(callback.error.text);
	oauth2_callback_done(&callback);
}

static void
check_file(struct span text)
{
	struct oauth2_token token = OAUTH2_TOKEN_INIT, again;
	struct buf first = BUF_INIT, second = BUF_INIT;

	if (!oauth2_token_parse(text, &token, NULL))
		return;
	check_token(&token.access);
	check_token(&token.refresh);
	require(oauth2_token_left(&token, 0) <= OAUTH2_LIFE_MAX);
	require(oauth2_token_left(&token, INT64_MAX / 2) >= 0);
	oauth2_token_format(&token, &first);
	again = (struct oauth2_token)OAUTH2_TOKEN_INIT;
	require(oauth2_token_parse(buf_span(&first), &again, NULL));
	oauth2_token_format(&again, &second);
	require(span_equal(buf_span(&first), buf_span(&second)));
	oauth2_token_done(&token);
	oauth2_token_done(&again);
	buf_wipe(&first);
	buf_wipe(&second);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span input = span_from(data, size);

	check_answer(200, input);
	check_answer(400, input);
	check_answer(429, input);
	check_device(input);
	check_callback(input);
	check_file(input);
	check_said_back(input);
	return 0;
}
