/*
 * mail/code: the one-time code in a message.
 */
#include "daemon/mail/code.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/base/fold.h"
#include "daemon/base/str.h"

/* Bytes by which words that announce a code must be nearer. */
#define OTHER_CLEARANCE 10
#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

/* Folded, as the text is that they are looked for in. */
static const char *const announcements[] = {
    /* English */
    "verification code",
    "security code",
    "confirmation code",
    "login code",
    "log-in code",
    "log in code",
    "sign-in code",
    "signin code",
    "sign in code",
    "access code",
    "authentication code",
    "authorization code",
    "activation code",
    "identification code",
    "one-time code",
    "one time code",
    "single-use code",
    "temporary code",
    "one-time password",
    "one time password",
    "one-time passcode",
    "one-time pin",
    "passcode",
    "otp",
    "2fa",
    "two-factor",
    "your code",
    "code is",
    "this code",
    "the code below",
    "following code",
    "enter the code",
    "code to sign in",
    "code to log in",
    "code to verify",
    "digit code",
    /* German */
    "bestätigungscode",
    "sicherheitscode",
    "verifizierungscode",
    "verifikationscode",
    "anmeldecode",
    "login-code",
    "einmalcode",
    "einmal-code",
    "einmalpasswort",
    "einmalkennwort",
    "zugangscode",
    "zugriffscode",
    "aktivierungscode",
    "freischaltcode",
    "prüfcode",
    "ihr code",
    "dein code",
    "code lautet",
    "diesen code",
    "folgenden code",
    "mtan",
    "-tan",
    /* French */
    "code de vérification",
    "code de sécurité",
    "code de confirmation",
    "code d'accès",
    "code d’accès",
    "code de connexion",
    "code à usage unique",
    "code d'authentification",
    "code d’authentification",
    "votre code",
    "ton code",
    "code temporaire",
    "mot de passe à usage unique",
    /* Spanish */
    "código de verificación",
    "código de seguridad",
    "código de confirmación",
    "código de acceso",
    "código de un solo uso",
    "código de autenticación",
    "tu código",
    "su código",
    "contraseña de un solo uso",
    /* Italian */
    "codice di verifica",
    "codice di sicurezza",
    "codice di conferma",
    "codice di accesso",
    "codice monouso",
    "tuo codice",
    "codice temporaneo",
    /* Portuguese */
    "código de verificação",
    "código de segurança",
    "código de confirmação",
    "seu código",
    "teu código",
    "senha de uso único",
    /* Dutch */
    "verificatiecode",
    "beveiligingscode",
    "bevestigingscode",
    "inlogcode",
    "toegangscode",
    "eenmalige code",
    "je code",
    "uw code",
    /* Swedish, Danish, Norwegian, Finnish */
    "verifieringskod",
    "säkerhetskod",
    "engångskod",
    "inloggningskod",
    "din kod",
    "bekræftelseskode",
    "sikkerhedskode",
    "engangskode",
    "din kode",
    "bekreftelseskode",
    "sikkerhetskode",
    "verifiseringskode",
    "vahvistuskoodi",
    "kertakäyttökoodi",
    "turvakoodi",
    /* Polish, Czech, Slovak, Hungarian, Romanian */
    "kod weryfikacyjny",
    "kod potwierdzający",
    "kod bezpieczeństwa",
    "kod jednorazowy",
    "jednorazowy kod",
    "twój kod",
    "kod dostępu",
    "ověřovací kód",
    "bezpečnostní kód",
    "jednorázový kód",
    "overovací kód",
    "bezpečnostný kód",
    "ellenőrző kód",
    "megerősítő kód",
    "biztonsági kód",
    "cod de verificare",
    "codul de verificare",
    "codul tău",
    /* Russian, Ukrainian, Bulgarian, Greek, Turkish */
    "код подтверждения",
    "проверочный код",
    "одноразовый код",
    "одноразовый пароль",
    "ваш код",
    "код для входа",
    "код безопасности",
    "код доступа",
    "код підтвердження",
    "одноразовий код",
    "код за потвърждение",
    "κωδικός επαλήθευσης",
    "κωδικός επιβεβαίωσης",
    "doğrulama kodu",
    "onay kodu",
    "güvenlik kodu",
    "tek kullanımlık",
    /* Japanese, Chinese, Korean */
    "認証コード",
    "確認コード",
    "セキュリティコード",
    "検証コード",
    "ワンタイムパスワード",
    "认证码",
    "验证码",
    "驗證碼",
    "校验码",
    "动态密码",
    "安全码",
    "安全代碼",
    "인증 코드",
    "인증코드",
    "인증번호",
    "인증 번호",
    "확인 코드",
    "보안 코드",
};

/* Other numbers that people are sent. */
static const char *const others[] = {
    "zip code",
    "postal code",
    "area code",
    "country code",
    "promo code",
    "promotion code",
    "promotional code",
    "discount code",
    "coupon",
    "voucher",
    "gift code",
    "gift card",
    "booking code",
    "tracking",
    "error code",
    "source code",
    "order number",
    "order no",
    "invoice",
    "phone",
    "call us",
    "postleitzahl",
    "rabattcode",
    "gutschein",
    "aktionscode",
    "bestellnummer",
    "rechnung",
    "code promo",
    "code postal",
    "código postal",
    "código promocional",
    "codice sconto",
    "kortingscode",
    "rabattkod",
    "kod rabatowy",
    "промокод",
    "优惠码",
};

/* ---- words ---- */

static bool
is_letter(char c)
{
	return char_is_alnum(c) || (unsigned char)c >= 0x80;
}

/* "otp" is no part of "potpourri"; in front of a word with a hyphen, and in
 * languages without blanks, anything may stand. */
static bool
is_word(struct span text, size_t at, const char *word)
{
	size_t end = at + strlen(word);

	if (!char_is_alpha(word[0]))
		return true;
	if (at > 0 && is_letter(text.data[at - 1]))
		return false;
	return strlen(word) > 4 || end == text.len ||
	       !is_letter(text.data[end]);
}

static size_t
find_word(struct span text, const char *word, size_t from)
{
	size_t at;

	while ((at = span_find_span(text, span_from_str(word), from)) !=
		   SIZE_MAX &&
	       !is_word(text, at, word))
		from = at + 1;
	return at;
}

/*
 * The pairs of bytes in a text, hashed: most of the words begin with one that
 * is not in it, and need not be looked for. Each has two bytes at least.
 */
#define PAIR_BITS 2048

struct pairs {
	uint64_t bits[PAIR_BITS / 64];
};

static unsigned
hash_pair(const char *at)
{
	unsigned first = (unsigned char)at[0], second = (unsigned char)at[1];

	return (first * 37 + second) % PAIR_BITS;
}

static void
pairs_init(struct pairs *pairs, struct span text)
{
	memset(pairs, 0, sizeof(*pairs));
	for (size_t i = 0; i + 1 < text.len; i++) {
		unsigned hash = hash_pair(text.data + i);
		pairs->bits[hash / 64] |= UINT64_C(1) << hash % 64;
	}
}

static bool
pairs_may_have(const struct pairs *pairs, const char *word)
{
	unsigned hash = hash_pair(word);

	return (pairs->bits[hash / 64] >> hash % 64 & 1) != 0;
}

/* Bytes between [at, end) and the nearest of the words; SIZE_MAX: none is
 * near. */
static size_t
distance_to(struct span text, size_t at, size_t end, const char *const *words,
    size_t count)
{
	size_t from = at > CODE_DISTANCE_MAX ? at - CODE_DISTANCE_MAX : 0;
	size_t to = end + CODE_DISTANCE_MAX, best = SIZE_MAX;
	struct pairs pairs;
	struct span near;

	if (to > text.len)
		to = text.len;
	near = span_slice(text, from, to - from);
	pairs_init(&pairs, near);
	for (size_t i = 0; i < count; i++) {
		if (!pairs_may_have(&pairs, words[i]))
			continue;
		size_t len = strlen(words[i]), next = 0, found;
		while ((found = find_word(near, words[i], next)) != SIZE_MAX) {
			size_t begins = from + found, stops = begins + len;
			size_t apart = stops <= at     ? at - stops
				       : begins >= end ? begins - end
						       : 0;
			if (apart < best)
				best = apart;
			next = found + 1;
		}
	}
	return best;
}

/* ---- numbers ---- */

struct number {
	size_t at, end; /* in the text */
	char digits[CODE_DIGITS_MAX + 1];
	size_t count;
};

static size_t
count_digits(struct span text, size_t at)
{
	size_t end = at;

	while (end < text.len && char_is_digit(text.data[end]))
		end++;
	return end - at;
}

/* What may not touch a code: letters, further digits, and what makes an
 * amount, a date, a time, a version or an address of it. */
static bool
touches_before(struct span text, size_t at)
{
	static const char joins[] = "+#$%/\\@&=.,:-_";
	char c = at > 0 ? text.data[at - 1] : ' ';
	bool is_joined = strchr(joins, c) != NULL && c != '\0';

	if (at > 0 && char_is_alnum(c))
		return true;
	/* The end of a telephone number. */
	if (c == ' ' && at > 1 && char_is_digit(text.data[at - 2]))
		return true;
	if (!is_joined || c == ':')
		/* "Code:1234", but not "12:3456" */
		return c == ':' && at > 1 && char_is_digit(text.data[at - 2]);
	/* "G-123456" */
	if (c == '-' && at > 1 && (text.data[at - 2] | 0x20) == 'g' &&
	    (at == 2 || !is_letter(text.data[at - 3])))
		return false;
	return true;
}

static bool
touches_behind(struct span text, size_t end, bool is_split)
{
	char c = end < text.len ? text.data[end] : ' ';
	char next = end + 1 < text.len ? text.data[end + 1] : ' ';

	if (char_is_alnum(c) || c == '%' || c == '$' || c == '/' || c == '@' ||
	    c == '_' || c == '=' || c == '&')
		return true;
	if (is_split && c == ' ' && char_is_digit(next))
		return true;
	return strchr(".,:-", c) != NULL && c != '\0' && char_is_alnum(next);
}

/* € and £ and ¥, in UTF-8, with or without a blank. */
static bool
is_amount(struct span text, size_t at, size_t end)
{
	static const char *const signs[] = {
	    "€", "£", "¥", "$", "eur", "usd", "chf"};
	struct span before =
	    span_trim(span_slice(text, at > 4 ? at - 4 : 0, at > 4 ? 4 : at));
	struct span behind = span_trim(
	    span_slice(text, end, text.len - end > 4 ? 4 : text.len - end));

	for (size_t i = 0; i < LENGTH(signs); i++)
		if (span_ends_nocase(before, signs[i]) ||
		    span_starts(behind, signs[i]))
			return true;
	return false;
}

static bool
is_year(const struct number *number)
{
	return number->count == 4 && (strncmp(number->digits, "19", 2) == 0 ||
					 strncmp(number->digits, "20", 2) == 0);
}

/* The second half of "123 456". */
static size_t
second_half(struct span text, size_t end, size_t count)
{
	if ((count != 3 && count != 4) || end + 1 >= text.len ||
	    (text.data[end] != ' ' && text.data[end] != '-'))
		return 0;
	return count_digits(text, end + 1) == count ? count : 0;
}

/* The digits at `at`; false, with end set, when they are no code. */
static bool
read_number(struct span text, size_t at, struct number *number)
{
	size_t first = count_digits(text, at);
	size_t second = second_half(text, at + first, first);

	number->at = at;
	number->end = at + first + (second > 0 ? second + 1 : 0);
	number->count = first + second;
	if (number->count < CODE_DIGITS_MIN || number->count > CODE_DIGITS_MAX)
		return false;
	memcpy(number->digits, text.data + at, first);
	memcpy(
	    number->digits + first, text.data + number->end - second, second);
	number->digits[number->count] = '\0';
	return !touches_before(text, at) &&
	       !touches_behind(text, number->end, second > 0) &&
	       !is_amount(text, at, number->end) && !is_year(number);
}

/* ---- a text ---- */

static struct span
folded(struct span text, struct buf *buf)
{
	fold_add(buf, span_slice(text, 0, CODE_TEXT_MAX));
	return buf_span(buf);
}

static bool
is_announced(struct span text)
{
	BUF_AUTO buf = BUF_INIT;
	struct span words = folded(text, &buf);

	for (size_t i = 0; i < LENGTH(announcements); i++)
		if (find_word(words, announcements[i], 0) != SIZE_MAX)
			return true;
	return false;
}

/* The one nearest to an announcement; `announced`: another text has one. */
static bool
find_in(struct span text, bool announced, struct number *best_r)
{
	size_t best = SIZE_MAX, at = 0;

	while (at < text.len) {
		struct number number;
		size_t apart, other;

		if (!char_is_digit(text.data[at])) {
			at++;
			continue;
		}
		bool is_number = read_number(text, at, &number);
		at = number.end;
		if (!is_number)
			continue;
		apart = distance_to(text, number.at, number.end, announcements,
		    LENGTH(announcements));
		other = distance_to(
		    text, number.at, number.end, others, LENGTH(others));
		if (apart == SIZE_MAX && announced)
			apart = CODE_DISTANCE_MAX + 1;
		/* "zip code is" is both. */
		if (apart < best &&
		    (other == SIZE_MAX || other > apart + OTHER_CLEARANCE)) {
			best = apart;
			*best_r = number;
		}
	}
	return best != SIZE_MAX;
}

bool
code_find(struct span subject, struct span text, struct buf *code)
{
	BUF_AUTO first = BUF_INIT, second = BUF_INIT;
	struct span head = folded(subject, &first);
	struct span rest = folded(text, &second);
	struct number number;

	/* Beside the words; then, what the other one announces. Numbers first:
	 * they are rare, and the words are many. */
	if (!find_in(head, false, &number) && !find_in(rest, false, &number) &&
	    !(find_in(rest, true, &number) && is_announced(subject)) &&
	    !(find_in(head, true, &number) && is_announced(text)))
		return false;
	buf_add_str(code, number.digits);
	return true;
}

bool
code_wants_text(const char *subject)
{
	BUF_AUTO code = BUF_INIT;
	struct span words = span_from_str(subject);

	return is_announced(words) && !code_find(words, SPAN_EMPTY, &code);
}

/* ---- hiding ---- */

#define HIDDEN '*'

static bool
is_hidden(char c)
{
	return c == HIDDEN;
}

/* Where the characters end that begin at `at`, in one piece or in two; 0:
 * others stand there, or more of the kind. */
static size_t
match(struct span text, size_t at, struct span wanted, bool (*is_kind)(char))
{
	size_t n = 0;

	if (at > 0 && is_kind(text.data[at - 1]))
		return 0;
	while (at < text.len && n < wanted.len) {
		char c = text.data[at];
		bool is_joint = 2 * n == wanted.len && (c == ' ' || c == '-');
		if (c == wanted.data[n])
			n++;
		else if (!is_joint)
			return 0;
		at++;
	}
	if (n < wanted.len || (at < text.len && is_kind(text.data[at])))
		return 0;
	return at;
}

/* As many of them as the code has digits. */
static struct span
asterisks(size_t count)
{
	static const char all[CODE_DIGITS_MAX + 1] = "********";

	return span_from(all, count);
}

static void
hide_one(struct span text, struct span code, struct buf *out)
{
	size_t at = 0;

	while (at < text.len) {
		size_t end = match(text, at, code, char_is_digit);
		if (end == 0)
			buf_add_char(out, text.data[at++]);
		for (; at < end; at++)
			buf_add_char(out, char_is_digit(text.data[at])
					      ? HIDDEN
					      : text.data[at]);
	}
}

void
code_hide(struct span text, const struct strv *codes, struct buf *out)
{
	BUF_AUTO work = BUF_INIT, next = BUF_INIT;

	buf_add_span(&work, text);
	for (size_t i = 0; i < codes->len; i++) {
		buf_clear(&next);
		hide_one(
		    buf_span(&work), span_from_str(codes->items[i]), &next);
		buf_clear(&work);
		buf_add_span(&work, buf_span(&next));
	}
	buf_add_span(out, buf_span(&work));
	buf_wipe(&work);
	buf_wipe(&next);
}

/* NULL: none of them fits here; else where it ends. */
static const char *
fitting(struct span text, size_t at, const struct strv *codes, size_t *end_r)
{
	for (size_t i = 0; i < codes->len; i++) {
		size_t len = strlen(codes->items[i]);
		size_t end = len <= CODE_DIGITS_MAX
				 ? match(text, at, asterisks(len), is_hidden)
				 : 0;
		if (end == 0)
			continue;
		*end_r = end;
		return codes->items[i];
	}
	return NULL;
}

static void
show(struct span text, const struct strv *codes, struct buf *out)
{
	size_t at = 0;

	while (at < text.len) {
		size_t end = at + 1;
		const char *code = fitting(text, at, codes, &end);
		for (; at < end; at++) {
			bool shows = code != NULL && is_hidden(text.data[at]);
			buf_add_char(out, shows ? *code++ : text.data[at]);
		}
	}
}

void
code_show(char **text, const struct strv *codes)
{
	BUF_AUTO shown = BUF_INIT;

	if (*text == NULL)
		return;
	show(span_from_str(*text), codes, &shown);
	free(*text);
	*text = buf_take_str(&shown);
}

bool
code_is_hidden(const char *text)
{
	struct span all = span_from_str(text);

	for (size_t at = 0; at < all.len; at++)
		for (size_t len = CODE_DIGITS_MIN;
		     is_hidden(all.data[at]) && len <= CODE_DIGITS_MAX; len++)
			if (match(all, at, asterisks(len), is_hidden) != 0)
				return true;
	return false;
}

/* Until there is none: what was masked stays as it is. */
static void
mask(struct span subject, struct buf *masked, struct strv *codes)
{
	BUF_AUTO work = BUF_INIT, code = BUF_INIT, next = BUF_INIT;
	bool goes_on = true;

	buf_add_span(&work, subject);
	while (goes_on && code_find(buf_span(&work), SPAN_EMPTY, &code)) {
		strv_add(codes, buf_str(&code));
		buf_clear(&next);
		hide_one(buf_span(&work), buf_span(&code), &next);
		goes_on = !span_equal(buf_span(&next), buf_span(&work));
		buf_clear(&work);
		buf_add_span(&work, buf_span(&next));
		buf_clear(&code);
	}
	buf_add_span(masked, buf_span(&work));
	buf_wipe(&code);
}

void
code_mask(struct span subject, struct buf *masked)
{
	STRV_AUTO codes = STRV_INIT;

	mask(subject, masked, &codes);
}

void
code_list(struct span subject, struct span text, struct strv *codes)
{
	BUF_AUTO masked = BUF_INIT, code = BUF_INIT;

	mask(subject, &masked, codes);
	if (code_find(buf_span(&masked), text, &code))
		strv_add(codes, buf_str(&code));
	buf_wipe(&code);
}
