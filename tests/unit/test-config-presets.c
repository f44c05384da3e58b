/* The table of providers, and how it is searched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>

#include "daemon/config/presets.h"
#include "daemon/config/syntax.h"

struct lookup_case {
	const char *word;
	const char *id; /* NULL: none */
};

static const struct lookup_case domains[] = {
    {"icloud.com", "icloud"},
    {"ME.com", "icloud"},
    {"gmail.com", "gmail"},
    {"googlemail.com", "gmail"},
    {"hotmail.co.uk", "outlook-com"},
    {"gmx.de", "gmx-net"},
    {"proton.me", "proton-bridge"},
    {"tuta.com", "tuta"},
    {"", NULL},
    {"com", NULL},
    {"xgmail.com", NULL},
    {"mail.gmail.com", NULL},
    {"gmail.com ", NULL},
};

static const struct lookup_case mx_hosts[] = {
    {"aspmx.l.google.com", "google-workspace"},
    {"aspmx.l.google.com.", "google-workspace"},
    {"example-org.mail.protection.outlook.com", "microsoft-365"},
    {"x.olc.protection.outlook.com", "outlook-com"},
    {"in1-smtp.messagingengine.com", "fastmail"},
    {"mx-aol.mail.gm0.yahoodns.net", "aol"},
    {"mta5.am0.yahoodns.net", "yahoo"},
    {"mx01.mail.icloud.com", "icloud"},
    {"notgoogle.com", NULL},
    {"google.com.evil.example", NULL},
    {"", NULL},
};

static void
check(const struct lookup_case *c, const struct preset *got)
{
	const char *id = got == NULL ? NULL : got->id;

	if ((id == NULL) == (c->id == NULL) &&
	    (id == NULL || strcmp(id, c->id) == 0))
		return;
	print_error("%s: got %s\n", c->word, id == NULL ? "none" : id);
	fail();
}

static void
test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++)
		check(&domains[i],
		    presets_find_domain(span_from_str(domains[i].word)));
	for (size_t i = 0; i < sizeof(mx_hosts) / sizeof(mx_hosts[0]); i++)
		check(&mx_hosts[i],
		    presets_find_mx(span_from_str(mx_hosts[i].word)));
	assert_string_equal(presets_find(SPAN("FastMail"))->id, "fastmail");
	assert_string_equal(
	    presets_find_smtp(SPAN("smtp.GMail.com"))->id, "gmail");
	assert_null(presets_find_smtp(SPAN("gmail.com")));
	assert_null(presets_find_smtp(SPAN("")));
	assert_string_equal(presets_nearest(SPAN("fastmial")), "fastmail");
	assert_null(presets_find(SPAN("none")));
}

static bool
is_host(const struct preset_server *server)
{
	const char *why;
	size_t offset;

	return host_check(span_from_str(server->host), &why, &offset) &&
	       server->port > 0 && server->port < 65536 &&
	       server->tls != SERVER_PLAINTEXT;
}

/* One domain, one provider; hosts that are hosts; lower case. */
static void
test_table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; presets_at(i) != NULL; i++) {
		const struct preset *p = presets_at(i);
		struct span rest = span_from_str(p->domains), domain;
		bool is_sound = presets_find(span_from_str(p->id)) == p &&
				p->name != NULL &&
				(p->domains != NULL || p->mx != NULL);
		while (span_split(&rest, ' ', &domain))
			is_sound = is_sound &&
				   presets_find_domain(domain) == p &&
				   !isupper((unsigned char)domain.data[0]);
		if (p->refusal == NULL)
			is_sound = is_sound && is_host(&p->imap) &&
				   is_host(&p->smtp) && p->auth != 0 &&
				   p->idle_renew_s <= 28 * 60;
		if (p->help != NULL)
			is_sound = is_sound && strncmp(p->help, "http", 4) == 0;
		if (!is_sound) {
			print_error("preset %s\n", p->id);
			fail();
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_find),
	    cmocka_unit_test(test_table_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
