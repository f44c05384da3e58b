/*
 * undo: the answer to a request.
 */
#include "daemon/control/json.h"
#include "daemon/wiring/undo_private.h"

static const char *const standing_names[STANDINGS] = {
    [STANDING_REFUSED] = "refused",
    [STANDING_OPEN] = "open",
    [STANDING_BEGUN] = "begun",
    [STANDING_UNDONE] = "undone",
    [STANDING_FAILED] = "failed",
};

static struct json *
step_json(const struct told_message *told, size_t i)
{
	const struct undo_step *step = &told->undo.steps[i];
	const struct step_state *state = &told->states[i];
	struct json *json = json_new_object();
	BUF_AUTO did = BUF_INIT, opposite = BUF_INIT;
	struct action action;

	if (action_parse(span_from_str(step->effect->action), &action)) {
		action_describe(&did, &action);
		action_done(&action);
	}
	if (step->refusal == NULL)
		action_describe(&opposite, &step->action);
	json_set_str(json, "rule", step->effect->rule);
	json_set_str(json, "action", step->effect->kind);
	json_set_str(json, "what", buf_str(&did));
	json_set_str(
	    json, "undo", step->refusal == NULL ? buf_str(&opposite) : NULL);
	json_set_str(json, "in", state->mailbox);
	json_set_str(json, "state", standing_names[state->standing]);
	json_set_str(json, "detail", state->words);
	return json;
}

static struct json *
message_json(const struct undoing *undoing, const struct told_message *told)
{
	struct json *json = json_new_object(), *steps = json_new_array();
	const struct store_message *message = &told->past.message;

	json_set_time(json, "judged", message->judged_unix);
	json_set_str(json, "account", message->key.account);
	json_set_str(json, "mailbox", message->key.mailbox);
	json_set_int(json, "uidvalidity", message->key.uidvalidity);
	json_set_int(json, "uid", message->key.uid);
	json_set_str(json, "message_id", message->message_id);
	json_set_str(json, "from", message->from);
	report_set_subject(json, message->subject);
	for (size_t i = 0; i < told->undo.count; i++)
		if (undoing_wants(undoing, &told->undo.steps[i]))
			json_add(steps, step_json(told, i));
	json_set(json, "steps", steps);
	return json;
}

void
undoing_answer(const struct undoing *undoing, struct client *client)
{
	struct json *json = json_new_object(), *messages = json_new_array();

	LIST_EACH(pos, &undoing->messages)
	{
		const struct told_message *told =
		    LIST_ITEM(pos, struct told_message, link);
		if (told->undo.count > 0)
			json_add(messages, message_json(undoing, told));
	}
	json_set(json, "messages", messages);
	control_reply(client, json);
}
