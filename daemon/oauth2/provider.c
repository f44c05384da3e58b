#include "daemon/oauth2/provider.h"

#include "daemon/base/str.h"

#define LOOPBACK "127.0.0.1"
#define MICROSOFT_URL "https://login.microsoftonline.com/" OAUTH2_TENANT
/* offline_access is what brings a refresh token. */
#define MICROSOFT                                                              \
	.authorize_url = MICROSOFT_URL "/oauth2/v2.0/authorize",               \
	.token_url = MICROSOFT_URL "/oauth2/v2.0/token",                       \
	.device_url = MICROSOFT_URL "/oauth2/v2.0/devicecode",                 \
	.scope = "https://outlook.office.com/IMAP.AccessAsUser.All "           \
		 "https://outlook.office.com/SMTP.Send offline_access",        \
	.flow = OAUTH2_DEVICE, .redirect_host = "localhost",                   \
	.register_url = "https://entra.microsoft.com"

/* clang-format off */
static const struct oauth2_provider providers[] = {
    {.id = "google", .name = "Google",
     .authorize_url = "https://accounts.google.com/o/oauth2/v2/auth",
     .token_url = "https://oauth2.googleapis.com/token",
     /* There is a device endpoint, which refuses the scope of mail. */
     .scope = "https://mail.google.com/",
     /* Without these two the second sign-in brings no refresh token. */
     .extra = "access_type=offline&prompt=consent",
     .redirect_host = LOOPBACK,
     .register_url = "https://console.cloud.google.com/auth/clients"},
    {.id = "microsoft", .name = "Microsoft", .tenant = "common", MICROSOFT},
    {.id = "microsoft-consumer", .name = "Microsoft", .tenant = "consumers",
     MICROSOFT},
    {.id = "yahoo", .name = "Yahoo",
     .authorize_url = "https://api.login.yahoo.com/oauth2/request_auth",
     .token_url = "https://api.login.yahoo.com/oauth2/get_token",
     .scope = "mail-w", .redirect_host = LOOPBACK},
    {.id = "aol", .name = "AOL",
     .authorize_url = "https://api.login.aol.com/oauth2/request_auth",
     .token_url = "https://api.login.aol.com/oauth2/get_token",
     .scope = "mail-w", .redirect_host = LOOPBACK},
    {.id = "fastmail", .name = "Fastmail",
     .authorize_url = "https://api.fastmail.com/oauth/authorize",
     .token_url = "https://api.fastmail.com/oauth/refresh",
     .scope = "https://www.fastmail.com/dev/protocol-imap "
	      "https://www.fastmail.com/dev/protocol-smtp",
     .redirect_host = LOOPBACK},
    {.id = "yandex", .name = "Yandex",
     .authorize_url = "https://oauth.yandex.com/authorize",
     .token_url = "https://oauth.yandex.com/token",
     .scope = "mail:imap_full mail:smtp", .redirect_host = LOOPBACK},
    {.id = "mailru", .name = "Mail.ru",
     .authorize_url = "https://oauth.mail.ru/login",
     .token_url = "https://oauth.mail.ru/token",
     .scope = "userinfo mail.imap", .redirect_host = LOOPBACK},
    {.id = "thundermail", .name = "Thundermail",
     .authorize_url =
	"https://auth.tb.pro/realms/tbpro/protocol/openid-connect/auth",
     .token_url =
	"https://auth.tb.pro/realms/tbpro/protocol/openid-connect/token",
     .scope = "openid profile email offline_access",
     .redirect_host = LOOPBACK},
    {.id = "comcast", .name = "Comcast",
     .authorize_url = "https://oauth.xfinity.com/oauth/authorize",
     .token_url = "https://oauth.xfinity.com/oauth/token",
     .scope = "https://email.comcast.net/ profile openid",
     .redirect_host = LOOPBACK},
    /* Any other: all that it needs is in the configuration. */
    {.id = "custom", .name = "the provider", .redirect_host = LOOPBACK},
};
/* clang-format on */

#define PROVIDER_COUNT (sizeof(providers) / sizeof(providers[0]))

const struct oauth2_provider *
oauth2_providers_at(size_t index)
{
	return index < PROVIDER_COUNT ? &providers[index] : NULL;
}

const struct oauth2_provider *
oauth2_providers_find(struct span id)
{
	for (size_t i = 0; i < PROVIDER_COUNT; i++)
		if (span_is_nocase(id, providers[i].id))
			return &providers[i];
	return NULL;
}

const char *
oauth2_providers_nearest(struct span id)
{
	const char *ids[PROVIDER_COUNT + 1];

	for (size_t i = 0; i < PROVIDER_COUNT; i++)
		ids[i] = providers[i].id;
	ids[PROVIDER_COUNT] = NULL;
	return str_nearest(id, ids);
}
