/* What providers call their passwords; the rest is in config/presets. */
#include "daemon/base/str.h"
#include "daemon/doctor/doctor_private.h"

#define LETTERS_16 "16 letters"

/* clang-format off */
/* An id that ends with "-" stands for all that begin so. */
static const struct doctor_provider providers[] = {
	{"icloud", "iCloud", "Apple ID password", "app-specific password",
	    "16 letters, xxxx-xxxx-xxxx-xxxx", SHAPE_APPLE},
	{"gmail", "Gmail", "Google password", "app password", LETTERS_16,
	    SHAPE_16},
	{"google-workspace", "Google Workspace", "Google password",
	    "app password", LETTERS_16, SHAPE_16},
	{"yahoo", "Yahoo", "Yahoo password", "app password", LETTERS_16,
	    SHAPE_16},
	{"aol", "AOL", "AOL password", "app password", LETTERS_16, SHAPE_16},
	{"att", "AT&T", "AT&T password", "secure mail key", LETTERS_16,
	    SHAPE_16},
	{"fastmail", "Fastmail", "Fastmail password", "app password", NULL,
	    SHAPE_UNKNOWN},
	{"zoho-", "Zoho", "Zoho password", "application-specific password",
	    NULL, SHAPE_UNKNOWN},
	{"yandex", "Yandex", "Yandex password", "app password", NULL,
	    SHAPE_UNKNOWN},
	{"mailru", "Mail.ru", "Mail.ru password",
	    "password for external applications", NULL, SHAPE_UNKNOWN},
	{"proton-bridge", "Proton Bridge", "Proton password",
	    "password that Proton Bridge shows", NULL, SHAPE_UNKNOWN},
	{"qq", "QQ Mail", "QQ password", "authorisation code", NULL,
	    SHAPE_UNKNOWN},
	{"netease-", "NetEase", "NetEase password", "authorisation code", NULL,
	    SHAPE_UNKNOWN},
	{"outlook-com", "Outlook.com", "Microsoft password", NULL, NULL,
	    SHAPE_UNKNOWN},
	{"microsoft-365", "Microsoft 365", "Microsoft password", NULL, NULL,
	    SHAPE_UNKNOWN},
};
/* clang-format on */

static bool
is_id(const char *id, const char *wanted)
{
	size_t len = strlen(wanted);

	return wanted[len - 1] == '-' ? strncmp(id, wanted, len) == 0
				      : strcmp(id, wanted) == 0;
}

const struct doctor_provider *
doctor_provider_of(const struct preset *preset)
{
	if (preset == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof(providers) / sizeof(providers[0]); i++)
		if (is_id(preset->id, providers[i].id))
			return &providers[i];
	return NULL;
}
