#!/usr/bin/env -S python3 -B
"""Every sentence of a manual has a test.

	check-sentences.py [MANUAL CASES [TOP]]

Without arguments: those of the manuals for which tests/manual has cases. MANUAL is mdoc. Its sentences are taken from the source: text and macros, a
sentence to a line end that ends with a full stop or the like. Words in
displays (.Bd) and after SEE ALSO do not count. CASES quotes sentences in
lines that begin with "= ". Says which sentences of the manual nobody quotes,
which quotes are no sentence of the manual (any more), and which "seen:" does
not find its words in its file below TOP. Fails when there is one.
"""
import os
import re
import sys

MANUALS = [
    ("rules/belfry-rules.5", "belfry-rules.cases"),
    ("daemon/belfry-delivery.7", "belfry-delivery.cases"),
]
MACROS = {
    "Ic", "Ql", "Dq", "Sq", "Pq", "Sx", "Xr", "Em", "Va", "Pa", "Ns", "No", "Ar",
    "Fl", "Cm", "Ev", "Nm", "Sy", "Op", "Li", "Dv", "Oo", "Oc", "Po", "Pc",
}
ESCAPES = {
    r"\e": "\\", r"\&": "", r"\ ": " ", r"\(en": "-", r"\(dq": '"', r"\-": "-",
    r"\(:u": "ü", r"\(:U": "Ü", r"\(em": "-",
}


def plain(text):
    for escape, character in ESCAPES.items():
        text = text.replace(escape, character)
    return text


def key(sentence):
    """What is compared: letters, digits and the signs that mean something."""
    return re.sub(r"[^\w$@~!<>=+*%\\/#-]", "", plain(sentence)).lower()


def macro_text(line):
    """The words of a macro line, or None when it is structure."""
    name, _, rest = line[1:].partition(" ")
    if name in MACROS:
        words = re.findall(r'"[^"]*"|\S+', rest)
        return " ".join(w[1:-1] if w[0] == w[-1] == '"' and len(w) > 1 else w
                        for w in words if w not in MACROS)
    return None


def ends(line, text):
    """Whether the sentence does; a macro's full stop is a word of its own."""
    if line.startswith("."):
        return text.split()[-1:] in (["."], ["?"], [".)"])
    return re.search(r"[.?]\)?$", text.rstrip()) is not None


def sentences(source):
    """Yields (line number, sentence)."""
    words, start, depth = [], 0, 0
    for number, line in enumerate(source.splitlines(), 1):
        if line.startswith('.\\"'):
            continue
        if line.startswith(".Bd"):
            depth += 1
        if depth:
            depth -= line.startswith(".Ed")
            continue
        if line == ".Sh SEE ALSO":
            break
        text = macro_text(line) if line.startswith(".") else line
        if text is None:
            # Structure ends what stands open: an item without a full stop.
            if words:
                yield start, " ".join(words)
            words = []
            continue
        if not words:
            start = number
        words.append(text)
        if ends(line, text):
            yield start, " ".join(words)
            words = []
    if words:
        yield start, " ".join(words)


def body(source):
    return source[source.index(".Sh DESCRIPTION"):]


def check(manual, cases, top):
    """Returns how many problems there are."""
    source = open(manual, encoding="utf-8").read()
    before = source[:source.index(".Sh DESCRIPTION")].count("\n")
    known = {}
    quoted = {}
    bad = 0
    for line, sentence in sentences(body(source)):
        line += before
        twin = known.setdefault(key(sentence), (line, sentence))
        if twin[0] != line:
            print(f"{manual}:{line}: says the same as line {twin[0]}: "
                  f"{plain(sentence)}")
            bad += 1
    for number, line in enumerate(open(cases, encoding="utf-8"), 1):
        if line.startswith("= "):
            quoted[key(line[2:])] = (number, line[2:].strip())
        seen = re.match(r'seen: (\S+) "(.*)"$', line)
        if line.startswith("seen:") and not seen:
            print(f"{cases}:{number}: seen: path \"words\" is expected")
            bad += 1
        if seen:
            try:
                text = open(f"{top}/{seen[1]}", encoding="utf-8").read()
            except OSError:
                text = ""
            if seen[2] not in text:
                print(f"{cases}:{number}: {seen[1]} does not say {seen[2]!r}")
                bad += 1
    for k, (number, text) in quoted.items():
        if k not in known:
            print(f"{cases}:{number}: not in the manual: {text}")
            bad += 1
    for k, (number, text) in known.items():
        if k not in quoted:
            print(f"{manual}:{number}: no test says: {plain(text)}")
            bad += 1
    print(f"{manual}: {len(known)} sentences, {len(quoted)} quoted, "
          f"{bad} problems")
    return bad + (not known)


def main():
    top = sys.argv[3] if len(sys.argv) > 3 else os.environ.get("srcdir", ".")
    if len(sys.argv) > 2:
        return check(sys.argv[1], sys.argv[2], top) > 0
    return sum(check(f"{top}/{manual}", f"{top}/tests/manual/{cases}", top)
               for manual, cases in MANUALS) > 0


if __name__ == "__main__":
    sys.exit(main())
