#!/usr/bin/env -S python3 -B
"""What `make install` puts where, file by file, and that it is whole; and what
configure makes of the units for an older and a newer systemd.

Exit status 77: right as far as it could be looked at, as programs are missing
that check units, manuals, scripts and the desktop file.
"""

import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
SOURCE = os.path.abspath(os.path.dirname(os.path.abspath(__file__)) + "/../..")
FOLDERS = ("bindir", "sbindir", "libexecdir", "datadir", "docdir", "mandir",
           "sysusersdir", "systemduserunitdir", "systemdsystemunitdir",
           "bashcompletiondir", "zshcompletiondir", "fishcompletiondir",
           "sysconfdir", "with_libnotify", "srcdir")
# Folder, path in it; a * stands for each file of that folder in the tree.
PROGRAMS = [
    ("bindir", "belfryctl"),
    ("sbindir", "belfryd"),
    ("libexecdir", "belfry/belfry-desktop"),
    ("docdir", "examples/notifiers/to-file.sh"),
    ("docdir", "examples/notifiers/to_file.py"),
    ("docdir", "examples/openrc/belfry"),
]
FILES = [
    ("systemduserunitdir", "belfry.service"),
    ("systemdsystemunitdir", "belfry.service"),
    ("sysusersdir", "belfry.conf"),
    ("datadir", "applications/belfry.desktop"),
    ("bashcompletiondir", "belfryctl.bash"),
    ("zshcompletiondir", "_belfryctl"),
    ("fishcompletiondir", "belfryctl.fish"),
    ("mandir", "man1/belfryctl.1"),
    ("mandir", "man5/belfry.conf.5"),
    ("mandir", "man5/belfry-rules.5"),
    ("mandir", "man7/belfry-delivery.7"),
    ("mandir", "man7/belfry-notifiers.7"),
    ("mandir", "man8/belfryd.8"),
    ("docdir", "README.md"),
    ("docdir", "NEWS"),
    ("docdir", "examples/belfry.conf"),
    ("docdir", "examples/notifiers.conf"),
    ("docdir", "examples/belfry-strict.conf"),
    ("docdir", "examples/waybar.jsonc"),
    ("docdir", "examples/i3blocks.conf"),
    ("docdir", "examples/polybar.ini"),
    ("docdir", "examples/apparmor/usr.sbin.belfryd"),
]
SCHEMAS = "daemon/control/schemas"
failed = []
missing = set()  # programs


def check(condition, words, *args):
    if not condition:
        failed.append(words % args)
        print("FAILED:", failed[-1])


def run(*argv, **keys):
    return subprocess.run(argv, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **keys)


def make(*argv, cwd=BUILD):
    """By itself: not as a part of the make that runs this."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR")}
    result = run("make", "-s", *argv, cwd=cwd, env=env)
    text = result.stdout.decode(errors="replace")
    check(result.returncode == 0, "make %s: %s", " ".join(argv), text[-2000:])
    return text


def folders():
    with tempfile.NamedTemporaryFile("w", suffix=".mk") as file:
        file.write("include Makefile\nshow-folders:\n")
        for name in FOLDERS:
            file.write("\t@echo '%s=$(%s)'\n" % (name, name))
        file.flush()
        text = make("-f", file.name, "show-folders")
    return dict(line.split("=", 1) for line in text.splitlines()
                if line.split("=")[0] in FOLDERS)


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


# ---- what is installed ----

def wanted(where):
    """Path: mode."""
    schemas = [("datadir", "belfry/schemas/" + name)
               for name in os.listdir(os.path.join(SOURCE, SCHEMAS))
               if name.endswith(".json")]
    files = {os.path.join(where[folder], path): mode
             for rows, mode in ((PROGRAMS, 0o755), (FILES + schemas, 0o644))
             for folder, path in rows}
    if where["with_libnotify"] == "no":
        del files[os.path.join(where["libexecdir"], "belfry/belfry-desktop")]
    return files


def there(root):
    return {"/" + os.path.relpath(os.path.join(folder, name), root):
            stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode)
            for folder, _, names in os.walk(root) for name in names}


def look_at_all(root, where):
    want, got = wanted(where), there(root)
    for path in sorted(set(want) - set(got)):
        check(False, "%s is not installed", path)
    for path in sorted(set(got) - set(want)):
        check(False, "%s is installed, and this test does not know it", path)
    for path in sorted(set(want) & set(got)):
        check(want[path] == got[path], "%s has mode %o", path, got[path])
        if path.startswith(where["docdir"]):
            continue
        check(os.path.getsize(root + path) > 0, "%s is empty", path)


def has(program):
    """What is not there leaves a gap, which is no success."""
    if shutil.which(program) is None:
        missing.add(program)
        return False
    return True


def look_inside(root, where):
    """Whatever names a place names the one where it is; what can be read by
    who is to read it, is."""
    def at(folder, path):
        return os.path.join(root + where[folder], path)

    for folder, option in (("systemduserunitdir", "--user"),
                           ("systemdsystemunitdir", "--system")):
        look_at_unit(read(at(folder, "belfry.service")), option, where)
    if has("desktop-file-validate"):
        said = run("desktop-file-validate",
                   at("datadir", "applications/belfry.desktop")).stdout
        check(said == b"", "the desktop file: %s", said.decode())
    if has("mandoc"):
        for folder, path in FILES:
            if folder == "mandir":
                said = run("mandoc", "-Tlint", "-W", "warning",
                           at(folder, path)).stdout.decode()
                check(said == "", "%s: %s", path, said)
    for shell, path in (("sh", at("docdir", "examples/openrc/belfry")),
                        ("sh", at("docdir", "examples/notifiers/to-file.sh")),
                        ("bash", at("bashcompletiondir", "belfryctl.bash"))):
        if has(shell):
            result = run(shell, "-n", path)
            check(result.returncode == 0, "%s: %s", path, result.stdout)
    if has("apparmor_parser"):
        result = run("apparmor_parser", "-Q", "-K",
                     at("docdir", "examples/apparmor/usr.sbin.belfryd"))
        check(result.returncode == 0, "AppArmor: %s", result.stdout.decode())
    result = run(at("sbindir", "belfryd"), "--version")
    check(result.returncode == 0, "belfryd: %s", result.stdout.decode())
    for name in ("belfry.conf", "notifiers.conf"):
        path = at("docdir", "examples/" + name)
        result = run(at("bindir", "belfryctl"), "-c", path, "check")
        check(result.returncode == 0, "%s: %s", name, result.stdout.decode())


# ---- units ----

def look_at_unit(text, option, where):
    check("@" not in re.sub("@(system-service|privileged|resources)", "", text),
          "something is not filled in: %s", text)
    for key, program in (("ExecStart", where["sbindir"] + "/belfryd"),
                         ("ExecReload", where["bindir"] + "/belfryctl")):
        for line in re.findall("(?m)^%s=(.*)$" % key, text):
            check(line.split()[0] == program, "%s=%s", key, line)
    if option == "--system":
        config = where["sysconfdir"] + "/belfry/belfry.conf"
        check(text.count(config) >= 2, "the unit does not name %s", config)
    if has("systemd-analyze"):
        verify(text, option, where)


def verify(text, option, where):
    """By this machine's systemd: no word of what it does not understand. (A
    type that it does not know it would pass over.)"""
    for name, program in (("sbindir", "belfryd"), ("bindir", "belfryctl")):
        text = text.replace("%s/%s" % (where[name], program),
                            os.path.join(BUILD, program))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "belfry.service")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        env = dict(os.environ, XDG_RUNTIME_DIR=folder)
        result = run("systemd-analyze", option, "--man=no", "verify", path,
                     env=env)
        said = result.stdout.decode(errors="replace")
        mine = [line for line in said.splitlines() if path in line]
        check(mine == [], "systemd-analyze verify %s: %s", option, mine)


# Of systemd it knows the version that lies beside it.
PKG_CONFIG = """#!/bin/sh
case "$*" in
*"systemd >= "*)
	want=${*##*>= }
	test "${want%% *}" -le "$(cat "$0.version")"
	exit ;;
esac
exec PROGRAM "$@"
"""


def units_for(version, folder):
    """What a machine with this systemd gets."""
    fake = os.path.join(folder, "pkg-config")
    with open(fake, "w", encoding="ascii") as file:
        file.write(PKG_CONFIG.replace("PROGRAM", shutil.which("pkg-config")))
    os.chmod(fake, 0o755)
    with open(fake + ".version", "w", encoding="ascii") as file:
        file.write("%d\n" % version)
    build = os.path.join(folder, str(version))
    os.mkdir(build)
    result = run(SOURCE + "/configure", "-q", "--cache-file=" + folder +
                 "/cache", "PKG_CONFIG=" + fake, cwd=build)
    names = ("contrib/systemd/belfry.service",
             "contrib/systemd/system/belfry.service")
    if result.returncode != 0:
        check(False, "configure: %s", result.stdout.decode()[-2000:])
        return []
    make(*names, cwd=build)
    return [read(os.path.join(build, name)) for name in names]


def look_at_types(folder):
    """A type that systemd does not know is taken for a simple one."""
    for version, newer in ((252, False), (253, True)):
        for text in units_for(version, folder):
            lines = re.findall("(?m)^(?:Type|ExecReload)=.*$", text)
            right = lines == ["Type=notify-reload"] if newer else (
                len(lines) == 2 and lines[0] == "Type=notify" and
                lines[1].endswith("reload"))
            check(right, "with systemd %d: %r", version, lines)


def main():
    if not os.path.exists(os.path.join(BUILD, "Makefile")):
        print("needs a build")
        sys.exit(77)
    where = folders()
    with tempfile.TemporaryDirectory(prefix="belfry-install.") as folder:
        root = os.path.join(folder, "root")
        make("install", "DESTDIR=" + root)
        look_at_all(root, where)
        look_inside(root, where)
        make("uninstall", "DESTDIR=" + root)
        check(there(root) == {}, "make uninstall leaves %s", there(root))
        # A tree that was configured in itself cannot be elsewhere, too.
        if not os.path.exists(os.path.join(SOURCE, "config.status")):
            look_at_types(folder)
    print("%d failed" % len(failed))
    if missing and not failed:
        print("SKIPPED in part, for want of: %s" % ", ".join(sorted(missing)))
        sys.exit(77)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
