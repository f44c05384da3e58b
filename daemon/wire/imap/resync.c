/*
 * imap/resync: VANISHED, MODIFIED, and the answers to SEARCH.
 *
 *   expunged-resp    = "VANISHED" [SP "(EARLIER)"] SP known-uids
 *   resp-text-code  =/ "MODIFIED" SP sequence-set    (RFC 7162 section 7)
 *   search-data      = "SEARCH" *(SP nz-number) [SP search-sort-mod-seq]
 *   esearch-response = "ESEARCH" [SP "(TAG" SP tag-string ")"] [SP "UID"]
 *                      *(SP search-return-data)      (RFC 4731 section 4)
 *   search-return-data = "ALL" SP sequence-set / ...
 */
#include "daemon/wire/imap/resync.h"

static bool
is_data(const struct imap_response *response, const char *name)
{
	return response->kind == IMAP_UNTAGGED && !response->has_number &&
	       response->status == IMAP_STATUS_NONE &&
	       span_is_nocase(response->name, name);
}

static bool
parse_set(const struct imap_value *value, struct imap_seqset *set_r)
{
	return value->kind == IMAP_ATOM &&
	       imap_seqset_parse(value->text, set_r);
}

bool
imap_is_vanished(const struct imap_response *response)
{
	return is_data(response, "VANISHED");
}

static bool
is_earlier(const struct imap_value *value)
{
	return value->kind == IMAP_LIST && value->count == 1 &&
	       imap_value_is(&value->items[0], "EARLIER");
}

bool
imap_vanished_parse(
    const struct imap_response *response, struct imap_vanished *vanished_r)
{
	struct imap_vanished vanished = {0};

	if (!imap_is_vanished(response) || response->count == 0)
		return false;
	vanished.earlier = is_earlier(&response->values[0]);
	if (response->count != (vanished.earlier ? 2u : 1u) ||
	    !parse_set(&response->values[response->count - 1], &vanished.uids))
		return false;
	*vanished_r = vanished;
	return true;
}

bool
imap_modified_parse(
    const struct imap_response *response, struct imap_seqset *uids_r)
{
	return span_is_nocase(response->code, "MODIFIED") &&
	       response->code_count == 1 &&
	       parse_set(&response->code_values[0], uids_r);
}

static void
add_numbers(const struct imap_response *response, struct imap_seqset *found)
{
	for (size_t i = 0; i < response->count; i++) {
		uint64_t uid = imap_value_number(&response->values[i]);
		if (uid > 0 && uid < UINT32_MAX)
			imap_seqset_add(found, (uint32_t)uid);
	}
}

static void
replace_by_all(const struct imap_response *response, struct imap_seqset *found)
{
	for (size_t i = 0; i + 1 < response->count; i++) {
		struct imap_seqset set;
		if (!imap_value_is(&response->values[i], "ALL") ||
		    !parse_set(&response->values[i + 1], &set))
			continue;
		imap_seqset_done(found);
		*found = set;
		return;
	}
}

bool
imap_search_parse(
    const struct imap_response *response, struct imap_seqset *found)
{
	if (is_data(response, "SEARCH"))
		add_numbers(response, found);
	else if (is_data(response, "ESEARCH"))
		replace_by_all(response, found);
	else
		return false;
	return true;
}
