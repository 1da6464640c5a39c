"""Takes away from this process what a function never needs: files, network, other processes.

Linux enforces it, even if a function breaks out of the engine. Each layer works without the others. ctypes is enough,
because the kernel's interface is a few system calls; packages for it would have to be imported in each run.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

PROCESS_BYTES = 512 * 1024 * 1024
"""Address space of the whole process. The engine's own limit is far lower; this one protects against its bugs."""

PROCESS_CPU_SECONDS = 2

LANDLOCK = "Landlock"
SECCOMP = "seccomp"

_PR_SET_DUMPABLE = 4
_PR_SET_SECCOMP = 22
_PR_SET_NO_NEW_PRIVS = 38

_SYS_LANDLOCK_CREATE_RULESET = 444
_SYS_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_CREATE_RULESET_VERSION = 1
# By ABI version, how many of the lowest bits the kernel knows: rights to files, TCP, and what Landlock calls scopes
# (abstract Unix sockets, signals).
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_ALL_FILE_RIGHTS = 16
_TCP_RIGHTS = 2
_SCOPES = 2

_SECCOMP_MODE_FILTER = 2
_ALLOW = 0x7FFF0000
_DENY = 0x00050001
"""SECCOMP_RET_ERRNO with EPERM."""
_LOAD, _IF_EQUAL, _IF_BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _THIRD_ARGUMENT = 0, 4, 32
"""Offsets in the kernel's `struct seccomp_data`, on little-endian machines."""
_PROT_EXEC = 4

# For each machine: its number in the kernel's audit interface; the calls that map memory, whose third argument is the
# protection; and the calls that are allowed with any argument. In this order: mmap, mprotect; read, write, readv,
# writev, brk, munmap, mremap, madvise, exit, exit_group, clock_gettime, clock_getres, gettimeofday, getrandom, futex.
_MACHINES = {
    "x86_64": (0xC000003E, (9, 10), (0, 1, 19, 20, 12, 11, 25, 28, 60, 231, 228, 229, 96, 318, 202)),
    "aarch64": (0xC00000B7, (222, 226), (63, 64, 65, 66, 214, 215, 216, 233, 93, 94, 113, 114, 169, 278, 98)),
}


def confine() -> list[str]:
    """Confines this process until it ends, as far as the platform supports it.

    Afterwards it can read and write the files that are open, allocate memory, read the clock, and exit.

    Returns:
        The layers that are not in force.
    """
    libc = _libc()
    missing = []
    if libc:
        libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if not libc or not _without_new_privileges(libc) or not restrict_access(libc):
        missing.append(LANDLOCK)
    # After Landlock, which opens a file for a moment, and before seccomp, which forbids the system call.
    _limit_resources()
    if not libc or not _filter_system_calls(libc):
        missing.append(SECCOMP)
    return missing


def _libc() -> Any:
    """Returns the C library; None if this is not Linux."""
    if sys.platform != "linux":
        return None
    try:
        import ctypes
    except ImportError:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    return libc


def _without_new_privileges(libc: Any) -> bool:
    return bool(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)


def restrict_access(libc: Any) -> bool:
    """Takes all rights that Landlock knows; returns whether the kernel has Landlock."""
    import ctypes

    size_type, no_flags = ctypes.c_size_t, ctypes.c_uint(0)
    version = libc.syscall(
        _SYS_LANDLOCK_CREATE_RULESET, None, size_type(0), ctypes.c_uint(_LANDLOCK_CREATE_RULESET_VERSION)
    )
    if version < 1:
        return False
    files = _FILE_RIGHTS.get(version, _ALL_FILE_RIGHTS)
    # A ruleset without any rule: everything that it handles is denied. Older kernels know fewer members.
    handled = [_bits(files), _bits(_TCP_RIGHTS) if version >= 4 else None, _bits(_SCOPES) if version >= 6 else None]
    members = [bits for bits in handled if bits is not None]
    attributes = (ctypes.c_uint64 * len(members))(*members)
    ruleset = libc.syscall(
        _SYS_LANDLOCK_CREATE_RULESET, ctypes.byref(attributes), size_type(ctypes.sizeof(attributes)), no_flags
    )
    if ruleset < 0:
        return False
    try:
        return bool(libc.syscall(_SYS_LANDLOCK_RESTRICT_SELF, ctypes.c_int(ruleset), no_flags) == 0)
    finally:
        os.close(ruleset)


def _bits(count: int) -> int:
    return (1 << count) - 1


def _limit_resources() -> None:
    try:
        import resource
    except ImportError:
        return
    for name, value in (
        ("RLIMIT_AS", PROCESS_BYTES),
        ("RLIMIT_CPU", PROCESS_CPU_SECONDS),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NPROC", 0),
        # Files that are already open stay usable.
        ("RLIMIT_NOFILE", 3),
    ):
        # Not contextlib.suppress, because the import of contextlib is slow.
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (AttributeError, OSError, ValueError):
            continue


def _filter_system_calls(libc: Any) -> bool:
    """Denies all system calls except those that a run needs; returns whether the kernel does so."""
    import ctypes

    machine = _MACHINES.get(os.uname().machine)
    if machine is None or ctypes.sizeof(ctypes.c_void_p) != 8 or sys.byteorder != "little":
        return False

    class Instruction(ctypes.Structure):
        _fields_ = [("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32)]

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.POINTER(Instruction))]

    instructions = [Instruction(*instruction) for instruction in _program(*machine)]
    program = Program(len(instructions), (Instruction * len(instructions))(*instructions))
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _program(architecture: int, mapping: Iterable[int], allowed: Iterable[int]) -> list[tuple[int, int, int, int]]:
    """Returns the filter: for each instruction its code, how many to skip if true and if false, and its operand."""
    returns = [(_RETURN, 0, 0, _DENY), (_RETURN, 0, 0, _ALLOW)]
    protection = [(_LOAD, 0, 0, _THIRD_ARGUMENT), (_IF_BITS, 0, 1, _PROT_EXEC), *returns]
    # The end of the program, in which each jump counts from the instruction after it.
    numbers = [(number, "mapping") for number in mapping] + [(number, "allowed") for number in allowed]
    compared = []
    for index, (number, kind) in enumerate(numbers):
        to_deny = len(numbers) - index - 1
        to_protection = to_deny + 1
        skipped = to_protection if kind == "mapping" else to_protection + len(protection) - 1
        compared.append((_IF_EQUAL, skipped, 0, number))
    # x86_64 also has a second set of calls, whose numbers are above all that are allowed.
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 0, 1 + len(compared), architecture),
        (_LOAD, 0, 0, _NUMBER),
        *compared,
        (_RETURN, 0, 0, _DENY),
        *protection,
    ]
