#!/usr/bin/env python3
"""Compares libmail with Python's email package on real and made-up mail.

usage: mail-vs-python.py [MAIL-DUMP]      (default: tests/unit/mail-dump)

Reads the real messages of Python's own test suite (Debian: package
libpython3.N-testsuite; elsewhere set MAIL_CORPUS to a folder of messages)
and variants made from them with a fixed seed, asks both sides what they see,
and explains every difference by one row of ACCEPTED below. A difference that
no row explains fails the test. MAIL_SHOW=NAME (or all) in the environment
shows the differences that a row accepts.

Python is asked by its modern parser for text (get_unstructured), by
email.utils for addresses and dates; and by its modern messages for parts
(their types, names of files, iter_attachments) and for the text of the body
(get_body, get_content), of which the made-up ones are the real ones with
lines left out, doubled, exchanged or cut.
"""

import base64
import collections
import html
import email
import email.errors
import email.policy
import email.utils
import glob
import inspect
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from email import _header_value_parser as parser

SKIP = 77
SEED = 2047
MESSAGE_VARIANTS = 12  # of each real message
# More messages where Debian's python3-flufl.bounce is there.
BOUNCES = "/usr/lib/python3*/*-packages/flufl/bounce/tests/data/*.txt"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

ADDRESS_FIELDS = {
    "from", "sender", "reply-to", "to", "cc", "bcc", "resent-from",
    "resent-to", "delivered-to", "return-path", "x-original-to",
}
DATE_FIELDS = {"date", "resent-date", "delivery-date"}

WORD = re.compile(r"=\?([^?\s]+)\?([bBqQ])\?(.*?)\?=", re.S)
CHARSETS_WIDER = re.compile(
    r"=\?(us-ascii|ascii|iso-8859-1|latin1|gb2312|gbk|euc-kr"
    r"|ks_c_5601-1987|shift_jis|big5)(\*[^?]*)?\?", re.I)


# Newer versions, and Debian's, give nothing at all for a field in which they
# doubt an address, unless told otherwise (CVE-2023-27043).
LENIENT = {"strict": False} if "strict" in inspect.signature(
    email.utils.getaddresses).parameters else {}


# --- What Python sees -------------------------------------------------------

def guess(data):
    """8-bit bytes of no charset, as both sides may take them."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def to_str(raw):
    """The bytes of a value as Python's parser likes them."""
    return raw.decode("ascii", "surrogateescape")


def clean(text):
    """The rules of libmail's clean text (daemon/mail/text.h)."""
    text = re.sub("\r\n|[\r\n\t]", " ", text)
    text = re.sub("[\x00-\x1f\x7f-\x9f]", REPLACEMENT, text)
    return text.strip(" ")


def from_surrogates(raw, text):
    """Bytes that Python keeps as surrogates: raw 8-bit text, to be guessed,
    or what its codec could not read in a word."""
    if not re.search("[\ud800-\udfff]", text):
        return text
    if b"=?" in raw:
        return re.sub("[\ud800-\udfff]+", REPLACEMENT, text)
    return guess(text.encode("utf-8", "surrogateescape"))


def python_text(raw):
    text = str(parser.get_unstructured(to_str(raw)))
    return clean(from_surrogates(raw, text))


def python_addresses(raw):
    found = []
    for name, addr in email.utils.getaddresses([to_str(raw)], **LENIENT):
        if name or addr:
            name = str(parser.get_unstructured(name))
            found.append((clean(from_surrogates(raw, name)),
                          clean(from_surrogates(raw, addr))))
    return found


def python_date(raw):
    parts = email.utils.parsedate_tz(to_str(raw))
    if parts is None:
        return None
    try:
        return email.utils.mktime_tz(parts[:9] + (parts[9] or 0,))
    except (ValueError, OverflowError):
        return None


def python_fields(data):
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    fields = []
    for name, value in message._headers:
        value = value.encode("ascii", "surrogateescape")
        value = re.sub(rb"\r*\n", b"", value).strip(b" \t\r\n")
        fields.append((name.rstrip(" \t"), value))
    return fields


Part = collections.namedtuple("Part", "section type name part")


def python_leaves(part, prefix=""):
    """As we count them: an attached message is one, a multipart that has no
    parts is a text."""
    children = part.get_payload() if part.is_multipart() else []
    if part.get_content_maintype() == "multipart" and children:
        for number, child in enumerate(children, 1):
            yield from python_leaves(child, f"{prefix}{number}.")
        return
    kind = part.get_content_type()
    section = prefix.rstrip(".") or "1"
    if kind.startswith("multipart/"):
        kind = "text/plain"
        section = prefix + "1"
    yield Part(section, kind, clean(fix(part.get_filename() or "")), part)


def fix(text):
    """Bytes that Python kept as surrogates."""
    if not re.search("[\ud800-\udfff]", text):
        return text
    return guess(text.encode("utf-8", "surrogateescape"))


def python_message(data):
    return email.message_from_bytes(data, policy=email.policy.default)


def python_attachments(message, leaves):
    if message.get_content_maintype() != "multipart":
        return [leaf.section for leaf in leaves if leaf.part.is_attachment()]
    found = [id(inner) for part in message.iter_attachments()
             for inner in part.walk()]
    return [leaf.section for leaf in leaves if id(leaf.part) in found]


def clean_body(text):
    text = re.sub("\r\n|\r", "\n", fix(text))
    text = re.sub("[\x00-\x08\x0b-\x1f\x7f-\x9f]", REPLACEMENT, text)
    return text.removeprefix("\ufeff")


def words_of_html(text):
    text = re.sub(r"(?is)<!--.*?-->|<(style|script|title)\b.*?</\1", " ", text)
    return html.unescape(re.sub("<[^>]*>", " ", text))


def python_body_section(message, leaves):
    body = message.get_body(preferencelist=("plain", "html"))
    for leaf in leaves:
        if leaf.part is body:
            return leaf.section
    return None


def python_content(leaf):
    text = leaf.part.get_content()
    if leaf.type == "text/html":
        return words_of_html(fix(text)).split()
    return clean_body(text)


# --- Why they may differ ----------------------------------------------------

def is_refused(raw, ours, theirs):
    return re.search(rb"=\?[^?]*utf-?7[^?]*\?", raw, re.I) is not None


def is_unknown_charset(raw, ours, theirs):
    for match in WORD.finditer(raw.decode("latin-1")):
        try:
            "".encode(match.group(1).split("*")[0])
        except LookupError:
            return True
    return False


def is_wider_charset(raw, ours, theirs):
    return CHARSETS_WIDER.search(raw.decode("latin-1")) is not None


def decode_word(match):
    """The bytes of one word; None when that needs more than the standard."""
    _, encoding, text = match.groups()
    if encoding in "bB":
        try:
            return base64.b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            return None
    text = text.replace("_", " ").encode("latin-1", "replace")
    return re.sub(rb"=([0-9A-Fa-f]{2})",
                  lambda hex: bytes([int(hex.group(1), 16)]), text)


def runs_of(raw):
    """Plain text and words, adjacent words of one charset joined: a list of
    (charset or None, bytes)."""
    text = raw.decode("latin-1")
    runs, end = [], 0
    for match in WORD.finditer(text):
        data = decode_word(match)
        if data is None:
            return []
        between = text[end:match.start()]
        charset = match.group(1).lower()
        if runs and runs[-1][0] is not None and not between.strip():
            between = ""
        if between:
            runs.append((None, between.encode("latin-1")))
        if runs and runs[-1][0] == charset:
            data = runs.pop()[1] + data
        runs.append((charset, data))
        end = match.end()
    return runs + [(None, text[end:].encode("latin-1"))]


def decode_run(run, errors):
    charset, data = run
    return data.decode("latin-1" if charset is None else charset, errors)


def is_split_character(raw, ours, theirs):
    """Adjacent words of one charset, joined, give exactly what we gave."""
    try:
        out = "".join(decode_run(run, "strict") for run in runs_of(raw))
    except (UnicodeDecodeError, LookupError):
        return False
    return out != "" and clean(out) == ours


def is_malformed(raw, ours, theirs):
    """Words, even joined, that no codec can read: where it takes up again,
    and what one U+FFFD stands for, is the codec's own."""
    for run in runs_of(raw):
        try:
            decode_run(run, "strict")
        except UnicodeDecodeError:
            return True
        except LookupError:
            pass
    return False


def is_mixed_raw(raw, ours, theirs):
    """Raw 8-bit beside words: Python's surrogates mix with decoded text, so
    the guess above cannot be made for Python."""
    return max(raw, default=0) >= 0x80 and b"=?" in raw


def is_bad_base64(raw, ours, theirs):
    """Base64 with foreign characters or odd padding: Python gives the text
    as it stands, or stops there; we read on."""
    for match in WORD.finditer(raw.decode("latin-1")):
        text = match.group(3)
        if match.group(2) in "bB" and (
                re.search(r"[^A-Za-z0-9+/=]", text) or len(text) % 4
                or re.search("=[^=]", text)):
            return True
    return False


def is_nameless(raw, ours, theirs):
    """No address at all: we keep the words as a name, Python guesses."""
    return b"@" not in raw and b"<" not in raw


def addresses_of(entries):
    return [addr.lower() for _, addr in entries]


def is_extra_name(raw, ours, theirs):
    """Same addresses; comments, dots or blanks of the name differ."""
    if addresses_of(ours) != addresses_of(theirs):
        return False
    return all(is_alike(a, b) for (a, _), (b, _) in zip(ours, theirs))


def is_alike(a, b):
    letters = lambda s: sorted(re.sub(r"[\W_]+", "", s))
    return letters(a) == letters(b)


def is_comment(raw, ours, theirs):
    """"John (x) <a@b>": the name alone is the name; Python joins both."""
    return (b"(" in raw and addresses_of(ours) == addresses_of(theirs)
            and all(a in b for (a, _), (b, _) in zip(ours, theirs)))


def is_quoted_user(raw, ours, theirs):
    """We quote a local part only where it must be, Python as it was."""
    plain = lambda entries: [(n, a.replace('"', "").replace("\\", ""))
                             for n, a in entries]
    return plain(ours) == plain(theirs)


def is_encoded_comma(raw, ours, theirs):
    """A comma, an at sign or a bracket inside of an encoded word is none:
    email.utils does not know encoded words."""
    return re.search(rb"=\?[^?]+\?[qQ]\?[^?]*[,;:@<>()\[\]\"][^?]*\?=",
                     raw) is not None


def is_trailing_dot(raw, ours, theirs):
    return ours == [(name, addr.rstrip(".")) for name, addr in theirs]


def is_broken_list(raw, ours, theirs):
    """Not even the obsolete grammar: Python's strict parser says so."""
    try:
        found, rest = parser.get_address_list(to_str(raw))
    except Exception:
        return True
    return rest != "" or any(
        not isinstance(defect, email.errors.ObsoleteHeaderDefect)
        for defect in found.all_defects)


def is_route(raw, ours, theirs):
    """email.utils takes a part of the route for an address."""
    return (re.search(rb"<@[^>]*:", raw) is not None
            and ours == [entry for entry in theirs
                         if not entry[1].startswith("@")])


def is_unzoned(raw, ours, theirs):
    """Zones that email.utils does not know count as UTC there."""
    zone = re.search(rb"\b(MEZ|MESZ|CET|CEST|MET|MEST|BST|EET|EEST|JST|MSK"
                     rb"|WEST|NST|NDT|HST|AK[SD]T|GMT[+-]\d\d:?\d\d)\b"
                     rb"|[+-]\d\d:\d\d", raw)
    return None not in (ours, theirs) and zone is not None


def is_unread_shape(raw, ours, theirs):
    """Shapes that email.utils cannot read."""
    return theirs is None and ours is not None


def is_impossible(raw, ours, theirs):
    """31 February, 25:00, the year 9999: no date for us; Python reckons."""
    return ours is None and theirs is not None


def is_century(raw, ours, theirs):
    """RFC 5322: 50 is 1950. email.utils: 50 to 68 are 2050 to 2068."""
    return (re.search(rb"\b(5\d|6[0-8])\b", raw) is not None
            and None not in (ours, theirs)
            and abs(abs(theirs - ours) - 3155760000) < 2 * 86400)


def is_twelve_hour(raw, ours, theirs):
    return re.search(rb"\b[ap]m\b", raw, re.I) is not None


# For whole messages `raw` is the Python message, with its bytes and leaves.

def defects_of(message):
    return {type(defect).__name__ for part in message.walk()
            for defect in part.defects}


def is_unseparated(raw, ours, theirs):
    """A line that is no field ends the header for Python; we skip it."""
    return bool(defects_of(raw) & {"MissingHeaderBodySeparatorDefect",
                                   "FirstHeaderLineIsContinuationDefect"})


def boundaries_of(message):
    return [part.get_boundary().encode("utf-8", "surrogateescape")
            for part in message.walk() if part.get_boundary()]


def is_boundary_begin(raw, ours, theirs):
    """A line that only begins with a boundary."""
    return any(re.search(rb"(?m)^--" + re.escape(boundary)
                         + rb"(?!(--)?[ \t]*\r?$)", raw.data)
               for boundary in boundaries_of(raw))


def is_empty_part(raw, ours, theirs):
    """Boundaries one behind the other: Python sees one."""
    return any(re.search(rb"(?m)^--%b[ \t]*\r?\n--%b" % (
        (re.escape(boundary),) * 2), raw.data)
               for boundary in boundaries_of(raw))


def is_boundary_twice(raw, ours, theirs):
    """Multiparts inside of each other with one boundary."""
    found = boundaries_of(raw)
    return len(set(found)) < len(found)


def is_unfinished(raw, ours, theirs):
    """A multipart that has no part, no boundary or no end."""
    return bool(defects_of(raw) & {
        "StartBoundaryNotFoundDefect", "NoBoundaryInMultipartDefect",
        "CloseBoundaryNotFoundDefect", "MultipartInvariantViolationDefect"})


SHOWN = re.compile(r"(image|font)/|text/css$")
NEVER = re.compile(
    r"application/((x-)?pkcs7-(signature|mime)|pgp-(signature|encrypted)"
    r"|(vnd\.)?ms-tnef)$")
REPORTS = re.compile(
    r"message/((global-)?(delivery-status|disposition-notification)"
    r"|feedback-report|tracking-status|rfc822-headers)$")


def is_by_definition(leaf, is_related):
    """daemon/mail/structure.h, in other words."""
    disposition = (leaf.part.get_content_disposition() or "").strip()
    if NEVER.match(leaf.type):
        return False
    if disposition == "attachment" or leaf.type == "message/rfc822":
        return True
    in_place = "Content-ID" in leaf.part or disposition == "inline"
    if REPORTS.match(leaf.type) or (
            SHOWN.match(leaf.type) and is_related and in_place):
        return False
    return leaf.name != "" or not leaf.type.startswith("text/")


def is_definition(raw, ours, theirs):
    """Python calls all but the body attachments, and none in an
    alternative; what we call so is defined."""
    related = [id(inner) for part in raw.walk()
               if part.get_content_type() == "multipart/related"
               for inner in part.walk()]
    return ours == [leaf.section for leaf in raw.leaves
                    if is_by_definition(leaf, id(leaf.part) in related)]


def is_first_text(raw, ours, theirs):
    """Ours is the first text/plain, else the first text/html, that is no
    attachment; Python looks only where a body may be, and there also at
    texts with a name."""
    for files in (False, True):
        for kind in ("text/plain", "text/html"):
            for leaf in raw.leaves:
                if leaf.type == kind and (
                        is_by_definition(leaf, False) == files) and (
                        leaf.part.get_content_disposition() != "attachment"):
                    return ours == leaf.section
    return ours is None


def letters_of(text):
    return re.sub(r"[\W_]+", "", "".join(text))


def is_html(raw, ours, theirs):
    """Tags are taken out by two rough readers: the letters count."""
    return raw.leaf.type == "text/html" and (
        letters_of(ours) == letters_of(theirs))


def is_undeclared(raw, ours, theirs):
    """8-bit without a charset that is for it: guessed here, U+FFFD there."""
    charset = (raw.leaf.part.get_content_charset() or "us-ascii").lower()
    return (charset in ("us-ascii", "ascii")
            and REPLACEMENT in "".join(theirs))


def is_unknown_body_charset(raw, ours, theirs):
    return str(theirs).startswith("LookupError")


def is_multipart_text(raw, ours, theirs):
    """Python has no text for a multipart."""
    return str(theirs).startswith("KeyError: 'multipart/")


def is_cut(raw, ours, theirs):
    """Python takes the last line end of an inner part for a part of the
    boundary even where that is missing."""
    return ("CloseBoundaryNotFoundDefect" in defects_of(raw)
            and ours == theirs + "\n")


def is_odd_transfer(raw, ours, theirs):
    """Broken base64 or quoted-printable: each side saves what it can."""
    return raw.leaf.part.get("Content-Transfer-Encoding", "").lower() in (
        "base64", "quoted-printable")


def is_guessed_charset(raw, ours, theirs):
    """8-bit text that is another charset's, as the letters show."""
    for charset in ("gb18030", "big5", "shift_jis", "euc-jp", "euc-kr",
                    "koi8-u", "windows-1251"):
        try:
            if clean(raw.decode(charset)) == ours:
                return True
        except UnicodeDecodeError:
            pass
    return False


def is_three_digit_year(raw, ours, theirs):
    """RFC 5322 section 4.3: 101 is 2001."""
    return None not in (ours, theirs) and theirs < 0 <= ours and re.search(
        rb"\b1\d\d\b", raw) is not None


def is_missing_semicolon(raw, ours, theirs):
    """A parameter that no semicolon is in front of, be it a tab."""
    return ours == [(section, kind.split()[0]) for section, kind in theirs]


Accepted = collections.namedtuple("Accepted", "kind name fits reason")
ACCEPTED = [
    Accepted("text", "utf-7", is_refused,
             "refused: it hides specials from whoever reads ASCII"),
    Accepted("text", "split character", is_split_character,
             "adjacent words of one charset are joined before decoding"),
    Accepted("text", "malformed bytes", is_malformed,
             "codecs take up again at different bytes; UTF-8 without any "
             "UTF-8 in it is read as windows-1252"),
    Accepted("text", "unknown charset", is_unknown_charset,
             "we guess UTF-8 or windows-1252, Python gives U+FFFD"),
    Accepted("text", "wider charset", is_wider_charset,
             "labels mean what senders mean: latin1 is windows-1252, gb2312 "
             "is GB18030, shift_jis is cp932, ..."),
    Accepted("text", "mixed raw", is_mixed_raw,
             "raw 8-bit beside words: Python keeps surrogates"),
    Accepted("text", "guessed", is_guessed_charset,
             "raw text of the East is told from windows-1252"),
    Accepted("text", "odd base64", is_bad_base64,
             "foreign characters are skipped, padding begins a new group"),
    Accepted("addresses", "no address", is_nameless,
             "words without an address are one name"),
    Accepted("addresses", "quoted user", is_quoted_user,
             "a local part is quoted only where it must be"),
    Accepted("addresses", "comment", is_comment,
             "a comment is the name only where there is no other"),
    Accepted("addresses", "name's punctuation", is_extra_name,
             "email.utils drops blanks around dots and quotes"),
    Accepted("addresses", "encoded specials", is_encoded_comma,
             "email.utils cuts encoded words at their commas"),
    Accepted("addresses", "route", is_route,
             "an obsolete route is no address"),
    Accepted("addresses", "trailing dot", is_trailing_dot,
             "a domain's trailing dot is removed"),
    Accepted("addresses", "broken list", is_broken_list,
             "each side saves what it can (tests/unit/test-address.c has "
             "what we do)"),
    Accepted("date", "impossible", is_impossible,
             "impossible dates are none"),
    Accepted("date", "shape", is_unread_shape,
             "ISO 8601, missing times and other shapes are read"),
    Accepted("date", "century", is_century,
             "two-digit years by RFC 5322, not by POSIX"),
    Accepted("date", "zone", is_unzoned,
             "more zones are known"),
    Accepted("date", "three digits", is_three_digit_year,
             "years of three digits by RFC 5322"),
    Accepted("date", "twelve hours", is_twelve_hour,
             "AM and PM are read"),
    Accepted("parts", "no separator", is_unseparated,
             "a line that is no field does not end a header"),
    Accepted("parts", "begin of a boundary", is_boundary_begin,
             "RFC 2046 section 5.1.1 and IMAP servers: a line need only "
             "begin with the boundary"),
    Accepted("parts", "empty part", is_empty_part,
             "IMAP servers count parts without a byte, too"),
    Accepted("parts", "boundary twice", is_boundary_twice,
             "an inner multipart with the outer's boundary: as IMAP servers "
             "take it"),
    Accepted("parts", "unfinished", is_unfinished,
             "a multipart without part, boundary or end is a text"),
    Accepted("parts", "missing semicolon", is_missing_semicolon,
             "a blank ends a type, too"),
    Accepted("file name", "no separator", is_unseparated,
             "a line that is no field does not end a header"),
    Accepted("attachments", "definition", is_definition,
             "Python calls everything but the body so"),
    Accepted("attachments", "no separator", is_unseparated,
             "a line that is no field does not end a header"),
    Accepted("body part", "first text", is_first_text,
             "the first text that is no attachment, wherever it is"),
    Accepted("body", "html", is_html,
             "blanks and line ends differ"),
    Accepted("body", "undeclared", is_undeclared,
             "8-bit text without a charset is guessed"),
    Accepted("body", "unknown charset", is_unknown_body_charset,
             "guessed here, an exception there"),
    Accepted("body", "no separator", is_unseparated,
             "lines that are no fields belong to the header, as for IMAP "
             "servers"),
    Accepted("body", "unfinished", is_multipart_text,
             "a multipart without parts is a text"),
    Accepted("body", "cut", is_cut,
             "the line end before a boundary that is missing is kept"),
    Accepted("body", "odd transfer", is_odd_transfer,
             "broken base64 and quoted-printable"),
]


# --- Variants ---------------------------------------------------------------

TEXTS = [
    "Überprüfung der Rechnung", "Grüße aus Köln & Umgebung", "naïve café",
    "日本語の件名をここに書きます", "中文主题：测试", "한국어 제목입니다",
    "Привет, как дела?", "Ελληνικό κείμενο", "שלום עולם", "€ 100 – “quoted”",
    "\U0001f514 ringing \U0001f4e8", "a_b=c?d e", "", " leading", "x",
    "tab\tinside", "ends with equals=", "=?utf-8?q?not_twice?=",
]
CHARSETS = ["utf-8", "UTF-8", "iso-8859-1", "iso-8859-15", "windows-1252",
            "koi8-r", "windows-1251", "iso-2022-jp", "shift_jis", "euc-jp",
            "gb2312", "gb18030", "big5", "euc-kr", "iso-8859-7",
            "windows-1255", "utf-16be", "x-unknown", "us-ascii"]


def encode_q(data):
    safe = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-"
    return "".join(chr(b) if b in safe else "_" if b == 32 else f"={b:02X}"
                   for b in data)


def encode_word(charset, encoding, data):
    text = (encode_q(data) if encoding in "qQ"
            else base64.b64encode(data).decode())
    return f"=?{charset}?{encoding}?{text}?="


def to_charset(text, charset):
    try:
        return text.encode(charset)
    except (UnicodeEncodeError, LookupError):
        return None


def cut(data, rng, whole, charset):
    """Two to four pieces: at characters (whole) or at any byte."""
    if whole:
        text = data.decode(charset)
        at = sorted(rng.randrange(len(text) + 1) for _ in range(3))
        pieces = [text[a:b].encode(charset)
                  for a, b in zip([0] + at, at + [len(text)])]
    else:
        at = sorted(rng.randrange(len(data) + 1) for _ in range(3))
        pieces = [data[a:b] for a, b in zip([0] + at, at + [len(data)])]
    return [piece for piece in pieces if piece]


def text_variants(text, rng):
    for charset in CHARSETS:
        data = to_charset(text, charset) if charset != "x-unknown" else (
            text.encode("utf-8"))
        if data is None:
            continue
        for encoding in "qB":
            word = encode_word(charset, encoding, data)
            yield word.encode()
            yield f"Re: {word} (tail)".encode()
            yield f"Re:{word}tail".encode()
            yield word.replace("?=", "").encode() + b"?="
            yield re.sub(r"=+\?=$", "?=", word).encode()
            for whole in (True, False):
                if charset == "x-unknown" or charset.startswith("iso-2022"):
                    continue
                words = [encode_word(charset, rng.choice("qQbB"), piece)
                         for piece in cut(data, rng, whole, charset)]
                yield " ".join(words).encode()
                yield "\r\n ".join(words).encode()
                yield "".join(words).encode()
                yield b" and " + " x ".join(words).encode()
    for charset in ("utf-8", "windows-1252", "koi8-r"):
        data = to_charset(text, charset)
        if data is not None and charset != "koi8-r":
            yield data


def address_variants(rng, real):
    names = ["John Doe", "Doe, John", "John \"X\" Doe", "Jörg Müller", "山田",
             "John Q. Public", "Dr. O'Hara", "a@b", "", "[List]", "x (y)"]
    users = ["john", "john.doe", "john+tag", "\"john doe\"", "\"a@b\"", "x_y"]
    domains = ["example.org", "EXAMPLE.org", "[192.0.2.1]", "b"]
    for name in names:
        for user in users:
            addr = f"{user}@{rng.choice(domains)}"
            yield email.utils.formataddr((name, addr)).encode()
            if name.isascii() and name:
                quoted = parser.quote_string(name)
                yield f"{quoted} <{addr}>".encode()
                yield f"{addr} ({name})".encode() if "(" not in name else b"a"
                yield f"{quoted}<{addr}>".encode()
            elif name:
                yield name.encode() + f" <{addr}>".encode()
                yield (encode_word("utf-8", "q", name.encode())
                       + f" <{addr}>").encode()
                yield ('"' + encode_word("utf-8", "b", name.encode())
                       + f'" <{addr}>').encode()
    for _ in range(100):
        some = [rng.choice(real) for _ in range(rng.randrange(1, 5))]
        yield b", ".join(some)
        yield b",\r\n ".join(some)
        yield b"Team: " + b", ".join(some) + b";"
        yield b"Team: " + b",".join(some) + b";, x@y"
    yield from ODD_ADDRESSES


def date_variants(rng):
    shapes = ["%a, %d %b %Y %H:%M:%S {z}", "%d %b %Y %H:%M:%S {z}",
              "%d %b %Y %H:%M {z}", "%d %b %y %H:%M:%S {z}",
              "%a %b %d %H:%M:%S %Y", "%a %b %d %H:%M:%S {z} %Y",
              "%A, %d %B %Y %H:%M:%S {z}", "%d-%b-%Y %H:%M:%S {z}",
              "%a,%d %b %Y %H:%M:%S{z}", "%b %d, %Y %H:%M:%S {z}",
              "%a, %d %b %Y %H.%M.%S {z}", "%Y-%m-%dT%H:%M:%SZ",
              "%a, %d %b %Y %I:%M:%S %p", "%a, %d %b %Y",
              "%a, %d %b %Y %H:%M:%S {z} (comment)"]
    zones = ["+0000", "-0000", "+0200", "-0530", "GMT", "UT", "EST", "PDT",
             "Z", "", "CEST", "+02:00", "GMT+0200", "XYZ", "0100"]
    import time
    for shape in shapes:
        for zone in zones:
            when = time.gmtime(rng.randrange(0, 4102444800))
            yield time.strftime(shape, when).replace("{z}", zone).encode()
    yield from (b"yesterday", b"", b"31 Feb 2024 10:00:00 +0000",
                b"1 Jan 9999 00:00:00 +0000", b"1 Jan 2024 25:00:00 +0000")


ODD_TEXTS = [
    b"=?utf-7?q?+AGEAYg-?= x", b"=?unicode-1-1-utf-7?b?K0FHRS0=?=",
    b"=?utf-8?q?a b c?= d", b"=?utf-8?q?lost =?utf-8?q?end?=",
    b"=?utf-8?b?ZsO8!cg==?=", b"=?utf-8?b?YQ==Yg==?=", b"=?utf-8?b?!!?=",
    b"=?utf-8?b?ZsO8cg====?=", b"=?utf-8?q?Really??=", b"=?utf-8?q??=",
    b"=?utf-8?q?=4?=", b"=?utf-8?q?=XYa=?=", b"=?utf-8*en?q?a?=",
    b"=?utf-8?q?abc", b"=?utf-8?abc?=", b"=?utf-8?x?abc?=", b"=??q?abc?=",
    b"=?utf-8?q?=00=0D=0A=1B?=", b"(=?utf-8?q?a?=) [=?utf-8?q?b?=]",
    b"f\xc3\xbcr =?utf-8?q?f=C3=BCr?=", b"caf\xe9 =?utf-8?q?f=C3=BCr?=",
    b"caf\xe9", b"\x93x\x94", b"a\x01b\x7fc", b"=?iso-8859-1?q?=93x=94?=",
    b"=?us-ascii?q?caf=C3=A9?=", b"=?utf-8?q?caf=E9_x?=", b"a   b",
    b"=?utf-8?q?a?=    b", b"a    =?utf-8?q?b?=", b"=?utf-8?q?a?=\t\tb",
]
ODD_ADDRESSES = [
    b"undisclosed-recipients:;", b"<@a,@b:c@d>", b"a @ b . c", b"<>", b"root",
    b"John <a@b>, <c@d>", b"a@b (x (y) z)", b"John (x) <a@b>", b"John Doe",
    b"John Doe a@b", b"a@b; c@d", b"=?utf-8?q?Doe,_J?= <a@b>", b"J <a@b",
    b"=?utf-8?q?x=40y?= <a@b>", b"=?utf-8?q?<x@y>?= <a@b>", b"root (Cron)",
    b"=?utf-8?q?a?=@b", b"\"J <a@b>, c@d", b"(J <a@b>", b"a@b c@d", b"@b",
    b"a@b@c", b"x@y <a@b>", b"mailto:a@b", b";;;;", b"\"a\\\"b\"@c",
    b"\"ab\"@c", b"J\xc3\xb6rg <a@b>", b"J\xf6rg <a@b>", b"a@b.",
    b"John Q. Public <a@b>", b"Dr. Who <a@b>", b"<a@b> John", b"A : b@c;",
]


def change_lines(data, rng):
    """A real message with some lines left out, doubled, exchanged, cut."""
    lines = data.splitlines(keepends=True)
    for _ in range(rng.randrange(1, 4)):
        if len(lines) < 2:
            break
        at, to = (rng.randrange(len(lines)) for _ in range(2))
        change = rng.randrange(5)
        if change == 0:
            del lines[at]
        elif change == 1:
            lines.insert(to, lines[at])
        elif change == 2:
            lines[at], lines[to] = lines[to], lines[at]
        elif change == 3:
            del lines[max(at, to):]
        else:
            line = lines[at]
            cut = rng.randrange(len(line))
            lines[at] = line[:cut] + line[cut + 1:]
    return b"".join(lines)


def make_messages(folder, paths):
    rng = random.Random(SEED)
    made = []
    for path in paths:
        with open(path, "rb") as file:
            data = file.read()
        for number in range(MESSAGE_VARIANTS):
            name = f"{number}-{os.path.basename(path)}"
            made.append(os.path.join(folder, name))
            with open(made[-1], "wb") as out:
                out.write(change_lines(data, rng))
    return made


def make_variants(folder, real):
    rng = random.Random(SEED)
    fields = [(b"Subject", v) for t in TEXTS for v in text_variants(t, rng)]
    fields += [(b"Subject", v) for v in real["text"] + ODD_TEXTS]
    fields += [(b"From", v) for v in address_variants(rng, real["addresses"])]
    fields += [(b"Date", v) for v in date_variants(rng)]
    paths = []
    for start in range(0, len(fields), 500):
        path = os.path.join(folder, f"variants-{start}.txt")
        with open(path, "wb") as out:
            for name, value in fields[start:start + 500]:
                out.write(name + b": " + value + b"\r\n")
            out.write(b"\r\n")
        paths.append(path)
    return paths


# --- Comparing --------------------------------------------------------------

def explain(kind, raw, ours, theirs):
    for row in ACCEPTED:
        if row.kind == kind and row.fits(raw, ours, theirs):
            return row.name
    return None


class Report:
    def __init__(self):
        self.same = collections.Counter()
        self.accepted = collections.Counter()
        self.unexplained = []

    def compare(self, where, kind, raw, ours, theirs):
        if ours == theirs:
            self.same[kind] += 1
            return
        name = explain(kind, raw, ours, theirs)
        if name is None:
            self.unexplained.append((where, kind, raw, ours, theirs))
        else:
            self.accepted[kind, name] += 1
            if os.environ.get("MAIL_SHOW") in (name, "all"):
                print(f"{name}: {raw!r}\n    ours {ours!r}\n"
                      f"  python {theirs!r}")

    def print(self):
        for kind, count in sorted(self.same.items()):
            print(f"{kind}: {count} the same")
        for row in ACCEPTED:
            count = self.accepted[row.kind, row.name]
            print(f"{row.kind}: {count} differ, accepted: {row.name}: "
                  f"{row.reason}")
        for where, kind, raw, ours, theirs in self.unexplained[:30]:
            raw = getattr(raw, "data", raw)
            print(f"UNEXPLAINED {kind} in {where}\n     raw {raw[:300]!r}\n"
                  f"    ours {ours!r}\n  python {theirs!r}")
        print(f"{len(self.unexplained)} unexplained")


def compare_field(report, where, field, raw):
    ask = lambda question: attempt(question, raw)
    report.compare(where, "text", raw, field["text"].strip(" "),
                   ask(python_text))
    name = field["name"].lower()
    if name in ADDRESS_FIELDS:
        ours = [(n, a) for n, _, _, a in field["addresses"]]
        report.compare(where, "addresses", raw, ours, ask(python_addresses))
    if name in DATE_FIELDS:
        report.compare(where, "date", raw, field["date"], ask(python_date))


def attempt(question, raw):
    """Python's parser itself fails on some headers: then it has no answer."""
    try:
        return question(raw)
    except Exception as error:  # whatever it is, it is not ours
        return f"{type(error).__name__}: {error}"


def dump(program, paths):
    """What libmail sees: for each file its fields."""
    out = subprocess.run([program, *paths], check=True,
                         stdout=subprocess.PIPE).stdout
    files = []
    for line in out.decode("utf-8").split("\n")[:-1]:
        value = json.loads(line)
        if "file" in value:
            files.append((value, []))
        else:
            files[-1][1].append(value)
    return files


def compare_file(report, path, head, fields):
    with open(path, "rb") as file:
        theirs = python_fields(file.read())
    ours = [(f["name"], f["raw"].encode("latin-1")) for f in fields]
    where = os.path.basename(path)
    # Python takes a line that is no field for the begin of the body.
    if ours[:len(theirs)] != theirs or (
            len(ours) > len(theirs) and head["bad_lines"] == 0):
        report.unexplained.append((where, "fields", b"", ours, theirs))
    for field, (_, raw) in zip(fields, ours):
        compare_field(report, where, field, raw)


def compare_parts(report, path, head):
    with open(path, "rb") as file:
        data = file.read()
    where = os.path.basename(path)
    try:
        message = python_message(data)
        leaves = list(python_leaves(message))
    except Exception:  # Python's parser fails on some
        return
    message.data, message.leaves = data, leaves
    ours = [(part["section"], part["type"]) for part in head["parts"]]
    theirs = [(leaf.section, leaf.type) for leaf in leaves]
    report.compare(where, "parts", message, ours, theirs)
    if ours != theirs:
        return
    for part, leaf in zip(head["parts"], leaves):
        report.compare(where, "file name", message, part["name"], leaf.name)
    ours = [p["section"] for p in head["parts"] if p["is_attachment"]]
    report.compare(where, "attachments", message, ours,
                   attempt(lambda m: python_attachments(m, leaves), message))
    report.compare(where, "body part", message, head["text"],
                   attempt(lambda m: python_body_section(m, leaves), message))
    for leaf in leaves:
        if leaf.section == head["text"]:
            message.leaf = leaf
            ours = head["body"]
            if leaf.type == "text/html":
                ours = ours.split()
            report.compare(where, "body", message, ours,
                           attempt(python_content, leaf))


def find_corpus():
    folders = [os.environ.get("MAIL_CORPUS", "")]
    folders += sorted(glob.glob("/usr/lib/python3*/test/test_email/data"))
    for folder in filter(None, folders):
        paths = sorted(glob.glob(os.path.join(folder, "*.txt")))
        if paths:
            return paths + sorted(glob.glob(BOUNCES))
    return []


def collect(files):
    """Real values to make variants of."""
    real = {"text": [], "addresses": []}
    for _, fields in files:
        for field in fields:
            raw = field["raw"].encode("latin-1")
            if field["name"].lower() in ADDRESS_FIELDS and b"@" in raw:
                real["addresses"].append(raw)
            elif field["name"].lower() == "subject":
                real["text"].append(raw)
    return real


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "tests/unit/mail-dump"
    paths = find_corpus()
    if not paths:
        print("skipped: no corpus; install Debian's libpython3-testsuite or "
              "set MAIL_CORPUS to a folder of messages (*.txt)")
        return SKIP
    report = Report()
    files = dump(program, paths)
    for path, (head, fields) in zip(paths, files):
        compare_file(report, path, head, fields)
        compare_parts(report, path, head)
    print(f"{len(paths)} real messages read")
    with tempfile.TemporaryDirectory() as folder:
        made = make_messages(folder, paths)
        for path, (head, _) in zip(made, dump(program, made)):
            compare_parts(report, path, head)
        paths = make_variants(folder, collect(files))
        for path, (head, fields) in zip(paths, dump(program, paths)):
            compare_file(report, path, head, fields)
    report.print()
    return 1 if report.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
