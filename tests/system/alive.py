#!/usr/bin/env -S python3 -B
"""Proofs of life: of connections when the network changes, in a network of
our own where the kernel allows one; and of the daemon to systemd."""

import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)) + "/../lib")
import live  # noqa: E402
import systemd as systemd_lib  # noqa: E402

OWN_NETWORK = ("ip link set lo up && "
               "ip link add belfry0 type veth peer name belfry1")
# Half of it is how often the daemon feeds the watchdog.
WATCHDOG_USEC = 400000


def enter_own_network():
    """The whole test moves into it, servers and all."""
    if "ALIVE_NETWORK" in os.environ:
        return
    os.environ["ALIVE_NETWORK"] = ""
    can = subprocess.run(["unshare", "-n", "sh", "-c", OWN_NETWORK],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         check=False).returncode == 0
    if can:
        os.environ["ALIVE_NETWORK"] = "own"
        os.execvp("unshare", [
            "unshare", "-n", "sh", "-c", OWN_NETWORK + ' && exec "$@"', "sh",
            sys.executable, "-B", *sys.argv])


def change_network(number):
    for words in ("link set belfry0 up", "link set belfry1 up",
                  "addr add 192.0.2.%d/24 dev belfry0" % number):
        subprocess.run(["ip", *words.split()], check=True)


@live.case
def another_network_is_a_reason_to_look(servers):
    if os.environ["ALIVE_NETWORK"] != "own":
        print("    (no network of our own here)")
        return
    user = servers.user()
    with live.Daemon(servers, user.account()) as daemon:
        daemon.wait_watching()
        # Half-open: the server's side does nothing any more.
        servers.signal_imap(signal.SIGSTOP, names=("imap",))
        try:
            begin = time.monotonic()
            change_network(1)
            daemon.wait_log("checking.*the network changed")
            daemon.wait_log("trouble.*no answer to the end of IDLE")
            print("    found dead after %.1f s" % (time.monotonic() - begin))
        finally:
            servers.signal_imap(signal.SIGCONT, names=("imap",))
        daemon.wait_watching()
        user.deliver(live.message("hello"))
        live.wait("the message to be judged",
                  lambda: len(daemon.history()) == 1)
        # A connection that lives is not made anew.
        connected = len(daemon.logged("info connected"))
        time.sleep(5)  # the pace of hints
        change_network(2)
        daemon.wait_log("checking.*the network changed", count=2)
        live.stays("one connection", lambda: len(
            daemon.logged("info connected")) == connected)
        daemon.wait_watching()


@live.case
def watchdog_is_fed_while_we_live(servers):
    user = servers.user()
    daemon = live.Daemon(servers, user.account())
    systemd = systemd_lib.Systemd(daemon.dir)
    daemon.env.update(NOTIFY_SOCKET=systemd.path,
                      WATCHDOG_USEC=str(WATCHDOG_USEC))
    with daemon:
        live.wait("READY", lambda: "READY=1" in systemd())
        live.wait("some food", lambda: systemd().count("WATCHDOG=1") > 4)
        daemon.wait_watching()
        daemon.signal(signal.SIGSTOP)
        fed = live.settled(lambda: systemd().count("WATCHDOG=1"))
        live.stays("hungry", lambda: systemd().count("WATCHDOG=1") == fed)
        daemon.signal(signal.SIGCONT)
        live.wait("food again", lambda: systemd().count("WATCHDOG=1") > fed)
        # Waiting for a server that is not there is a plan, too.
        servers.tell("imap-stop")
        try:
            daemon.wait_log("info? ?.*trouble|warning trouble")
            fed = systemd().count("WATCHDOG=1")
            live.wait("food in back-off",
                      lambda: systemd().count("WATCHDOG=1") > fed + 3)
        finally:
            servers.tell("imap-start")
    live.check("STOPPING=1" in systemd(), "no STOPPING=1")
    live.check(not daemon.logged(" stuck "), "stuck: %s", daemon.log())


@live.case
def no_watchdog_no_food(servers):
    user = servers.user()
    daemon = live.Daemon(servers, user.account())
    systemd = systemd_lib.Systemd(daemon.dir)
    daemon.env.update(NOTIFY_SOCKET=systemd.path)
    with daemon:
        daemon.wait_watching()
    live.check("WATCHDOG=1" not in systemd(), "fed what is not there")


if __name__ == "__main__":
    enter_own_network()
    live.main()
