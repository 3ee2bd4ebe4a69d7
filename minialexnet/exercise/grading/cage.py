"""A program that locks itself up as far as the system allows, and then becomes another program.

``python cage.py SETTINGS COMMAND ...`` with SETTINGS in JSON. It stands alone: it is run by its
path and imports nothing but the standard library, since what it starts must not see the rest.

walled (Linux with namespaces): no network, processes that can neither see nor outlive it, a root
folder of its own which holds copies, read-only, of Python and the system's libraries and nothing
else, a small temporary folder in memory, a user without rights.

plain (elsewhere): a session of its own, a temporary folder, and the limits alone.

In both, limits on memory, processor time, the size of files, processes and open files.
"""

import ctypes
import json
import os
import resource
import signal
import sys

FAILED = 97
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT = 1, 2, 4, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
AT_FDCWD, AT_RECURSIVE, SYS_MOUNT_SETATTR = -100, 0x8000, 442
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
NOBODY = 65534
# The submission's own folder, in its walls.
HOME = "/submission"
DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


def main() -> None:
    settings, command = json.loads(sys.argv[1]), sys.argv[2:]
    linux = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if settings["walled"]:
        _walled(linux, settings)
    _limits(settings)
    if settings.get("user"):
        os.setgroups([])
        os.setgid(settings["user"])
        os.setuid(settings["user"])
    if linux is not None:
        linux.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        # After the change of user, which would forget it.
        linux.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.execve(command[0], command, settings["environment"])


def _limits(settings) -> None:
    for name, value in settings["limits"].items():
        number = getattr(resource, f"RLIMIT_{name}", None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(number, (value, value))
        except (OSError, ValueError):
            # macOS refuses a limit of the address space; its other limits hold.
            if sys.platform == "linux":
                raise


def _walled(linux, settings) -> None:
    """Return in the first process of the new namespaces; the one before waits for its end."""
    user, group = os.getuid(), os.getgid()
    flags = CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET
    if user != 0:
        flags |= CLONE_NEWUSER
    _demand(linux, linux.unshare(flags), "unshare")
    if user != 0:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{NOBODY} {user} 1"),
            ("gid_map", f"{NOBODY} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    linux.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    inner = os.fork()
    if inner:
        # Its end is everybody's in there, and over when it can be waited for.
        signal.signal(signal.SIGTERM, lambda *_: os.kill(inner, signal.SIGKILL))
        # The channel must close when the inner process ends.
        os.closerange(3, 256)
        _, status = os.waitpid(inner, 0)
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)
    _own_root(linux, settings)


def _own_root(linux, settings) -> None:
    root = settings["root"]
    _mount(linux, None, "/", None, MS_REC | MS_PRIVATE)
    _mount(linux, "tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m,mode=755")
    for path, place in settings["show"].items():
        _show(linux, path, root + place)
    for path in settings["hide"]:
        if os.path.isdir(root + path):
            _mount(linux, "tmpfs", root + path, "tmpfs", MS_RDONLY, "size=4k,mode=755")
    for path in DEVICES:
        _place(path, root + path)
        _mount(linux, path, root + path, None, MS_BIND)
    os.makedirs(root + HOME)
    if not os.path.exists(f"{root}/tmp"):
        os.symlink(HOME, f"{root}/tmp")
    size = f"size={settings['limits']['FSIZE']},nr_inodes=4096,mode=1777"
    _mount(linux, "tmpfs", root + HOME, "tmpfs", MS_NOSUID | MS_NODEV, size)
    flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV
    _mount(linux, None, root, None, flags)
    os.chroot(root)
    os.chdir(HOME)


def _show(linux, path: str, place: str) -> None:
    """The same file, folder or link, in its place under the new root, where nobody can write."""
    if os.path.islink(path):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        os.symlink(os.readlink(path), place)
        return
    _place(path, place)
    _mount(linux, path, place, None, MS_BIND | MS_REC)
    # struct mount_attr: attr_set, attr_clr, propagation, userns_fd
    attributes = (ctypes.c_uint64 * 4)(MS_RDONLY | MS_NOSUID | MS_NODEV, 0, 0, 0)
    failed = linux.syscall(
        ctypes.c_long(SYS_MOUNT_SETATTR),
        ctypes.c_long(AT_FDCWD),
        ctypes.c_char_p(place.encode()),
        ctypes.c_long(AT_RECURSIVE),
        ctypes.byref(attributes),
        ctypes.c_long(ctypes.sizeof(attributes)),
    )
    if failed:  # before Linux 5.12
        flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV
        _mount(linux, None, place, None, flags)


def _place(path: str, place: str) -> None:
    if os.path.isdir(path):
        os.makedirs(place, exist_ok=True)
    elif not os.path.exists(place):
        os.makedirs(os.path.dirname(place), exist_ok=True)
        open(place, "w").close()


def _mount(linux, source, target, kind, flags, options=None) -> None:
    words = (None if word is None else word.encode() for word in (source, target, kind))
    options = None if options is None else options.encode()
    _demand(linux, linux.mount(*words, ctypes.c_ulong(flags), options), f"mount {target}")


def _demand(linux, failed: int, what: str) -> None:
    if failed:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


if __name__ == "__main__":
    try:
        main()
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        os._exit(FAILED)
