"""Who calls: keys, and what a key gives access to."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

KEY_PREFIX = "ionbox_"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request comes from, and the one project that it reaches."""

    key_id: str
    project_id: str
    submitter_id: str


@dataclass(frozen=True, slots=True)
class Project:
    """Where jobs belong; every key reaches one."""

    id: str
    organization_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is remembered: never its secret.

    Args:
        prefix: Its first characters, to tell keys apart; empty for a key that is not ours.
    """

    id: str
    project_id: str
    submitter_id: str
    name: str
    prefix: str
    created_at: datetime
    revoked_at: datetime | None = None


def new_secret() -> str:
    """Return a new key: 256 random bits behind a recognizable prefix."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def hash_secret(secret: str) -> bytes:
    """Return what is stored of a key. Ours have 256 bits, so a plain SHA-256 cannot be guessed."""
    return hashlib.sha256(secret.encode()).digest()


def new_key(project_id: str, name: str, secret: str, now: datetime) -> Key:
    """Return the record of a new key of a new submitter.

    Only the beginning of a key that ionbox made is remembered; of somebody else's, nothing.
    """
    shown = secret[: len(KEY_PREFIX) + 4] if secret.startswith(KEY_PREFIX) else ""
    # IonQ's submitter ids are 24 hexadecimal digits, and clients have come to expect it.
    return Key(str(uuid.uuid4()), project_id, secrets.token_hex(12), name, shown, now)
