/*
 * SCRAM-SHA-256 and SCRAM-SHA-1, each with and without channel binding
 * (RFC 5802, RFC 7677). The password is not sent; both sides prove that they
 * know it.
 *
 *   client-first = gs2-header client-first-bare
 *   gs2-header   = ("p=" cb-name / "y" / "n") ",,"
 *   client-first-bare = "n=" saslname ",r=" c-nonce
 *   server-first = "r=" c-nonce s-nonce ",s=" base64 ",i=" posit-number
 *                  ["," extensions]
 *   client-final = "c=" base64 ",r=" c-nonce s-nonce ",p=" base64
 *   server-final = ("e=" value / "v=" base64) ["," extensions]
 *
 * "y": we could bind, and the server does not offer it. Somebody between us
 * who took the offer away is found out by that, as the header is part of what
 * both sides sign.
 *
 * The password is taken as it is, and not prepared by SASLprep (RFC 4013),
 * which changes only such letters as nobody types: full-width forms,
 * ligatures, blanks other than the ordinary one.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/base64.h"
#include "daemon/base/digest.h"
#include "daemon/base/secret.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/sasl/sasl_private.h"

#define BINDING_NAME_MAX 32

struct sasl_scram {
	struct buf nonce, binding_name, binding;
	struct buf other_name, other_binding; /* empty: there is none */
	bool has_signed;
	bool waits; /* for the server's signature */
	unsigned char signature[DIGEST_SIZE];
	bool proven;
	const char *flaw;
};

/* printable = %x21-2B / %x2D-7E */
static bool
is_printable(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] <= ' ' || text.data[i] >= 0x7f ||
		    text.data[i] == ',')
			return false;
	return text.len > 0;
}

struct sasl_scram *
sasl_scram_new(const struct sasl_once *once)
{
	struct sasl_scram *scram;

	if (!is_printable(once->nonce) || once->nonce.len > SASL_NONCE_MAX ||
	    once->binding.len > SASL_BINDING_MAX ||
	    once->binding_name.len > BINDING_NAME_MAX ||
	    (once->binding.len > 0 && !is_printable(once->binding_name)))
		return NULL;
	scram = NEW(struct sasl_scram);
	buf_add_span(&scram->nonce, once->nonce);
	buf_add_span(&scram->binding, once->binding);
	buf_add_span(&scram->binding_name, once->binding_name);
	if (once->other_binding.len <= SASL_BINDING_MAX &&
	    once->other_name.len <= BINDING_NAME_MAX &&
	    is_printable(once->other_name)) {
		buf_add_span(&scram->other_binding, once->other_binding);
		buf_add_span(&scram->other_name, once->other_name);
	}
	return scram;
}

static bool
is_about_binding(struct span words)
{
	return span_contains_nocase(words, SPAN("binding")) ||
	       span_contains_nocase(words, SPAN("bad protocol"));
}

bool
sasl_scram_rebind(struct sasl_scram *scram, struct span words)
{
	if (scram == NULL || scram->other_binding.len == 0 ||
	    (scram->has_signed && !is_about_binding(words)))
		return false;
	buf_truncate(&scram->binding, 0);
	buf_add_span(&scram->binding, buf_span(&scram->other_binding));
	buf_truncate(&scram->binding_name, 0);
	buf_add_span(&scram->binding_name, buf_span(&scram->other_name));
	buf_truncate(&scram->other_binding, 0);
	/* Another login, and another nonce. */
	buf_add_char(&scram->nonce, '2');
	return true;
}

void
sasl_scram_free(struct sasl_scram **scram)
{
	if (*scram == NULL)
		return;
	buf_wipe(&(*scram)->nonce);
	buf_wipe(&(*scram)->binding);
	buf_wipe(&(*scram)->binding_name);
	buf_wipe(&(*scram)->other_binding);
	buf_wipe(&(*scram)->other_name);
	memory_wipe(*scram, sizeof(**scram));
	free(*scram);
	*scram = NULL;
}

bool
scram_has_binding(const struct sasl_scram *scram)
{
	return scram->binding.len > 0;
}

bool
scram_is_proven(const struct sasl_scram *scram)
{
	return scram != NULL && scram->proven;
}

const char *
sasl_scram_flaw(const struct sasl_scram *scram)
{
	return scram != NULL ? scram->flaw : NULL;
}

static bool
refuse(struct sasl_scram *scram, const char *flaw)
{
	scram->flaw = flaw;
	return false;
}

/* ---- client-first ---- */

static void
add_header(const struct sasl_scram *scram, bool bound, struct buf *out)
{
	if (bound)
		buf_addf(out, "p=%s,,", buf_str(&scram->binding_name));
	else
		buf_add_str(out, scram_has_binding(scram) ? "y,," : "n,,");
}

static void
add_first_bare(const struct sasl_params *params, struct buf *out)
{
	buf_add_str(out, "n=");
	sasl_add_name(out, params->user);
	buf_add_str(out, ",r=");
	buf_add_span(out, buf_span(&params->scram->nonce));
}

static bool
start(const struct sasl_params *params, bool bound, struct buf *out)
{
	add_header(params->scram, bound, out);
	add_first_bare(params, out);
	return true;
}

/* ---- server-first ---- */

struct server_first {
	struct span nonce;
	struct buf salt; /* owned */
	uint32_t iterations;
};

/* The next attribute of `rest`, which must be `name`. */
static bool
take(struct span *rest, char name, struct span *value_r)
{
	struct span piece;

	if (!span_split(rest, ',', &piece) || piece.len < 2 ||
	    piece.data[0] != name || piece.data[1] != '=')
		return false;
	*value_r = span_skip(piece, 2);
	return true;
}

static bool
continues(struct span nonce, struct span ours)
{
	return nonce.len > ours.len && nonce.len <= SCRAM_NONCE_MAX &&
	       span_equal(span_slice(nonce, 0, ours.len), ours) &&
	       is_printable(nonce);
}

/* "m=" in front is an extension that must be understood: none is. */
static bool
parse_first(
    struct sasl_scram *scram, struct span text, struct server_first *first)
{
	struct span salt, iterations;

	if (!take(&text, 'r', &first->nonce) || !take(&text, 's', &salt) ||
	    !take(&text, 'i', &iterations))
		return refuse(scram, "the server's SCRAM challenge is garbled");
	if (!continues(first->nonce, buf_span(&scram->nonce)))
		return refuse(scram,
		    "the server's SCRAM challenge belongs to another login");
	if (!base64_decode(&first->salt, salt) || first->salt.len == 0 ||
	    first->salt.len > SCRAM_SALT_MAX)
		return refuse(scram, "the server's SCRAM salt is garbled");
	if (!span_to_u32(iterations, &first->iterations) ||
	    first->iterations == 0 || first->iterations > SCRAM_ITERATIONS_MAX)
		return refuse(scram,
		    "the server wants more than 1,000,000 SCRAM iterations");
	return true;
}

/* ---- client-final ---- */

static void
add_channel(const struct sasl_scram *scram, bool bound, struct buf *out)
{
	BUF_AUTO input = BUF_INIT;

	add_header(scram, bound, &input);
	if (bound)
		buf_add_span(&input, buf_span(&scram->binding));
	base64_encode(out, buf_span(&input));
}

static struct span
digest_span(enum digest_kind kind, const unsigned char *digest)
{
	return span_from(digest, digest_size(kind));
}

/*
 *   SaltedPassword  = Hi(password, salt, i)
 *   ClientKey       = HMAC(SaltedPassword, "Client Key")
 *   ClientSignature = HMAC(H(ClientKey), AuthMessage)
 *   ClientProof     = ClientKey XOR ClientSignature
 *   ServerSignature = HMAC(HMAC(SaltedPassword, "Server Key"), AuthMessage)
 */
static void
sign(enum digest_kind kind, const struct sasl_params *params,
    const struct server_first *first, struct span message, struct buf *proof)
{
	struct {
		unsigned char salted[DIGEST_SIZE], key[DIGEST_SIZE],
		    stored[DIGEST_SIZE], proof[DIGEST_SIZE];
	} w;

	digest_pbkdf2(kind, params->secret, buf_span(&first->salt),
	    first->iterations, w.salted);
	digest_hmac(
	    kind, digest_span(kind, w.salted), SPAN("Client Key"), w.key);
	digest_hash(kind, digest_span(kind, w.key), w.stored);
	digest_hmac(kind, digest_span(kind, w.stored), message, w.proof);
	for (size_t i = 0; i < digest_size(kind); i++)
		w.proof[i] ^= w.key[i];
	base64_encode(proof, digest_span(kind, w.proof));
	digest_hmac(
	    kind, digest_span(kind, w.salted), SPAN("Server Key"), w.key);
	digest_hmac(
	    kind, digest_span(kind, w.key), message, params->scram->signature);
	memory_wipe(&w, sizeof(w));
}

static bool
answer_first(enum digest_kind kind, bool bound,
    const struct sasl_params *params, struct span challenge, struct buf *out)
{
	struct sasl_scram *scram = params->scram;
	struct server_first first = {.salt = BUF_INIT};
	BUF_AUTO final = BUF_INIT, message = BUF_INIT;
	bool good;

	scram->proven = false;
	good = parse_first(scram, challenge, &first);
	if (good) {
		buf_add_str(&final, "c=");
		add_channel(scram, bound, &final);
		buf_add_str(&final, ",r=");
		buf_add_span(&final, first.nonce);
		add_first_bare(params, &message);
		buf_add_char(&message, ',');
		buf_add_span(&message, challenge);
		buf_add_char(&message, ',');
		buf_add_span(&message, buf_span(&final));
		buf_add_span(out, buf_span(&final));
		buf_add_str(out, ",p=");
		sign(kind, params, &first, buf_span(&message), out);
		scram->waits = scram->has_signed = true;
	}
	buf_done(&first.salt);
	return good;
}

/* ---- server-final ---- */

/* In time that does not depend on where they differ. */
static bool
is_signature(
    enum digest_kind kind, const struct sasl_scram *scram, struct span bytes)
{
	unsigned char differs = 0;

	if (bytes.len != digest_size(kind))
		return false;
	for (size_t i = 0; i < bytes.len; i++)
		differs |=
		    (unsigned char)(bytes.data[i] ^ (char)scram->signature[i]);
	return differs == 0;
}

/* "e=": the server says no in its own words next. */
static bool
answer_final(
    enum digest_kind kind, struct sasl_scram *scram, struct span challenge)
{
	BUF_AUTO bytes = BUF_INIT;
	struct span value;

	if (span_starts(challenge, "e="))
		return true;
	if (!take(&challenge, 'v', &value) || !base64_decode(&bytes, value) ||
	    !is_signature(kind, scram, buf_span(&bytes)))
		return refuse(scram, "the server does not know the password");
	scram->proven = true;
	return true;
}

static bool
step(enum digest_kind kind, bool bound, const struct sasl_params *params,
    unsigned number, struct span challenge, struct buf *out)
{
	struct sasl_scram *scram = params->scram;

	if (number == 0)
		return answer_first(kind, bound, params, challenge, out);
	if (!scram->waits)
		return false;
	scram->waits = false;
	return answer_final(kind, scram, challenge);
}

/* ---- the four ---- */

#define SCRAM(prefix, label, kind, bound)                                      \
	static bool prefix##_start(                                            \
	    const struct sasl_params *params, struct buf *out)                 \
	{                                                                      \
		return start(params, bound, out);                              \
	}                                                                      \
	static bool prefix##_step(const struct sasl_params *params,            \
	    unsigned number, struct span challenge, struct buf *out)           \
	{                                                                      \
		return step(kind, bound, params, number, challenge, out);      \
	}                                                                      \
	const struct sasl_class prefix = {.name = (label),                     \
	    .start = prefix##_start,                                           \
	    .step = prefix##_step,                                             \
	    .is_scram = true,                                                  \
	    .is_bound = (bound)}

SCRAM(sasl_scram_sha_256_plus, "SCRAM-SHA-256-PLUS", DIGEST_SHA256, true);
SCRAM(sasl_scram_sha_256, "SCRAM-SHA-256", DIGEST_SHA256, false);
SCRAM(sasl_scram_sha_1_plus, "SCRAM-SHA-1-PLUS", DIGEST_SHA1, true);
SCRAM(sasl_scram_sha_1, "SCRAM-SHA-1", DIGEST_SHA1, false);
