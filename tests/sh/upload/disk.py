# SPDX-License-Identifier: Apache-2.0
"""Small disks with all that lies beside a finished one, and what became of them.

new FILE MIB SEED         a disk: data, blocks of zeros, holes
change FILE SEED          the next version of it: some blocks differ, some became zeros, some are new
describe FILE [VERSION [KEYS]]   manifest.json, boot-proof.json and pcr_measurements.json beside it; with the directory
                          of "kiln keys export" as of a disk that was built with these keys
same DISK RAW             RAW is DISK, and zeros behind its end
data FILE                 how many blocks of FILE are not zeros
twice DIR                 snapshots under a rehearsal's DIR that got a block more than once
"""
import hashlib
import json
import os
import random
import struct
import sys

BLOCK = 512 * 1024
ZEROS = bytes(BLOCK)


def blocks(path):
    """Each block with its number, holes left out, the last one perhaps short."""
    with open(path, "rb") as f:
        size = os.fstat(f.fileno()).st_size
        at = 0
        while at < size:
            try:
                at = os.lseek(f.fileno(), at, os.SEEK_DATA) // BLOCK * BLOCK
            except OSError:
                return
            f.seek(at)
            yield at // BLOCK, f.read(BLOCK)
            at += BLOCK


def write(f, number, data):
    f.seek(number * BLOCK)
    f.write(data)


def new(path, mib, seed):
    rng = random.Random(int(seed))
    count = int(mib) * 2
    with open(path, "wb") as f:
        f.truncate(count * BLOCK)
        for number in range(count):
            kind = number % 4
            if kind in (0, 1) or number == count - 1:
                write(f, number, rng.randbytes(BLOCK))
            elif kind == 2:
                write(f, number, ZEROS)


def change(path, seed):
    rng = random.Random(int(seed))
    with open(path, "r+b") as f:
        count = os.fstat(f.fileno()).st_size // BLOCK
        chosen = rng.sample(range(count), 6)
        for number in chosen[:2]:
            write(f, number, rng.randbytes(BLOCK))
        for number in chosen[2:4]:
            write(f, number, ZEROS)
        for number in chosen[4:]:
            write(f, number, b"x" + bytes(BLOCK - 1))


def data_digest(path):
    digest = hashlib.sha256(struct.pack("<Q", os.path.getsize(path)))
    for number, data in blocks(path):
        if data.strip(b"\0"):
            digest.update(struct.pack("<Q", number) + hashlib.sha256(data).digest())
    return digest.hexdigest()


def replay(events, pcr, bank):
    value = bytes(hashlib.new(bank).digest_size)
    for event in events:
        if event["pcr"] == pcr:
            value = hashlib.new(bank, value + bytes.fromhex(event[bank])).digest()
    return value.hex()


def put(path, name, value):
    with open(os.path.join(os.path.dirname(path) or ".", name), "w", encoding="ascii") as f:
        json.dump(value, f, indent=2)
        f.write("\n")


def variable(keys, name):
    esl = os.path.join(keys, name + ".esl")
    value = b""
    if os.path.exists(esl):
        with open(esl, "rb") as f:
            value = f.read()
    return {"sha256": hashlib.sha256(value).hexdigest(), "certificates": []}


def describe(path, version="1", keys=None):
    banks = ("sha384", "sha256")
    events = [{"pcr": pcr, "type": 4, "label": "separator", **{b: hashlib.new(b, bytes(4)).hexdigest() for b in banks}}
              for pcr in (4, 7)]
    pcrs = {str(pcr): {b: replay(events, pcr, b) for b in banks} for pcr in (4, 7, 12)}
    digest = data_digest(path)
    secure_boot = {"secure_boot": {
        "signature": "made", "signer": "0" * 64,
        "variables": {name: variable(keys, name) for name in ("PK", "KEK", "db", "dbx")},
        "pcrs": pcrs, "events": events}} if keys else {}
    put(path, "manifest.json", {
        "schema": 3, "name": "tiny", "version": version, "arch": "x86_64", "epoch": 1, "lock_sha256": "0" * 64,
        "service_port": 3000, "declared": {"ports": [], "absent_packages": [], "exceptions": []},
        "root_hash": "0" * 64,
        "disk": {"file": os.path.basename(path), "size": os.path.getsize(path), "data_sha256": digest},
        "uki": {"size": 1, "sha256": "0" * 64, "stub_version": 257, "cmdline": "quiet"},
        "firmware": {"package": "ovmf", "version": "1", "sha256": "0" * 64},
        "partitions": [], "pcrs": pcrs, "events": events, **secure_boot})
    put(path, "boot-proof.json", {
        "schema": 3, "disk_data_sha256": digest, "firmware": "ovmf 1", "secure_boot": bool(keys), "qemu": "10", "accel": "tcg",
        "seconds": 1.5, "service_answered": True, "proven": True,
        "rows": [{"pcr": int(pcr), "bank": b, "predicted": pcrs[pcr][b], "measured": pcrs[pcr][b], "equal": True}
                 for pcr in pcrs for b in banks],
        "events": []})
    put(path, "pcr_measurements.json", {"Measurements": {"HashAlgorithm": "SHA384", **{
        "PCR" + pcr: pcrs[pcr]["sha384"] for pcr in pcrs}}})


def same(disk, raw):
    size = os.path.getsize(disk)
    if os.path.getsize(raw) < size:
        sys.exit(f"{raw} is shorter than {disk}")
    wanted = {n: d.ljust(BLOCK, b"\0") for n, d in blocks(disk) if d.strip(b"\0")}
    got = {n: d.ljust(BLOCK, b"\0") for n, d in blocks(raw) if d.strip(b"\0")}
    wrong = sorted(n for n in wanted.keys() | got.keys() if wanted.get(n) != got.get(n))
    if wrong:
        sys.exit(f"blocks {wrong} of {raw} are not those of {disk}")


def data(path):
    print(sum(1 for _, d in blocks(path) if d.strip(b"\0")))


def twice(directory):
    places = os.path.join(directory, "blocks")
    for snapshot in sorted(os.listdir(places)):
        writes = os.path.join(places, snapshot, "writes")
        if os.path.exists(writes):
            with open(writes, "rb") as f:
                if max(f.read(), default=0) > 1:
                    print(snapshot)


globals()[sys.argv[1]](*sys.argv[2:])
