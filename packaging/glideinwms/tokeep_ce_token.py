"""Hands a GlideinWMS frontend, for each entry, the token that tokeep keeps for its CE.

For /etc/gwms-frontend/plugin.d/. GlideinWMS 3.10 calls `get_credential`; 3.11 takes the generator class, or `get_credential` by way of its
LegacyGenerator. Nothing is signed or cached here: tokeep renews, this reads. A token that will not live long enough is not handed out,
and how long it lives is what it says itself (`exp`), never the age of its file.

Settings, for 3.10 in /etc/gwms-frontend/tokeep-ce-token.ini (section [tokeep]), for 3.11 in the context of the credential:

    token_file    where tokeep delivers, with {name} (the entry), {host}, {gatekeeper}, {group}, {factory} or {trust_domain} in it
    min_lifetime  seconds that have to be left
    owner         the user whose files are believed besides root's and our own

Python 3.6 or newer, standard library only.
"""

import base64
import binascii
import configparser
import json
import os
import pwd
import re
import stat
import time

SETTINGS_FILE = "/etc/gwms-frontend/tokeep-ce-token.ini"
DEFAULTS = {"token_file": "/var/lib/tokeep-ce/{name}.token", "min_lifetime": 600, "owner": "tokeep"}

LARGEST_TOKEN = 16 * 1024
CLOCK_SKEW = 60
# Part of a file name: no way out of the directory.
FIT = re.compile(r"^[A-Za-z0-9_@:+=-][A-Za-z0-9_.@:+=-]{0,199}\Z")
FOR_EVERYBODY = ("ANY", "https://wlcg.cern.ch/jwt/v1/any")


class NoToken(ValueError):
    """There is no token for this entry; the sentence says why, and never holds one."""


def get_credential(logger, group, entry, trust_domain, tkn_dir=None, **settings):
    """The interface of GlideinWMS 3.10.

    Returns (token, seconds that it is good for). Raises NoToken, a ValueError, which the frontend logs before it goes on with the next
    entry; it is logged here as well, since not every caller does.
    """
    log = _log_of(logger)
    try:
        known = _settings(settings)
        if tkn_dir is not None:
            known["token_file"] = os.path.join(tkn_dir, "{name}.token")
        path = _path_of(known["token_file"], group, entry, trust_domain)
        token = _read(path, known["owner"])
        lifetime = _remaining(token, path, known["min_lifetime"], entry, log)
    except NoToken as no_token:
        log.warning("no token for entry %s: %s", entry.get("name"), no_token)
        raise
    log.debug("token for entry %s out of %s, good for %d s", entry.get("name"), path, lifetime)
    return token, lifetime


def _log_of(logger):
    """3.10 hands over its module logSupport with the logger in it, 3.11 the logger itself, whose `log` is a method."""
    inner = getattr(logger, "log", None)
    return inner if hasattr(inner, "warning") else logger


def _settings(given):
    known = dict(DEFAULTS)
    if not given:
        parser = configparser.ConfigParser(interpolation=None)
        try:
            parser.read(SETTINGS_FILE, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            raise NoToken("%s is no settings file" % SETTINGS_FILE) from None
        given = dict(parser["tokeep"]) if parser.has_section("tokeep") else {}
    unknown = sorted(set(given) - set(DEFAULTS))
    if unknown:
        raise NoToken("unknown setting %s; there are %s" % (", ".join(unknown), ", ".join(sorted(DEFAULTS))))
    known.update(given)
    try:
        known["min_lifetime"] = int(known["min_lifetime"])
    except (TypeError, ValueError):
        raise NoToken("min_lifetime is no number of seconds") from None
    if known["min_lifetime"] < 0 or not os.path.isabs(known["token_file"]):
        raise NoToken("min_lifetime has to be 0 or more, and token_file an absolute path")
    return known


def _path_of(template, group, entry, trust_domain):
    gatekeeper = _gatekeeper(entry)
    values = {
        "name": entry.get("name"),
        "gatekeeper": gatekeeper,
        "host": gatekeeper and re.sub(r":[0-9]+$", "", gatekeeper),
        "group": group,
        "factory": entry.get("factory"),
        "trust_domain": trust_domain,
    }

    def fill(match):
        value = values.get(match.group(1))
        if not isinstance(value, str) or not FIT.match(value):
            raise NoToken("its %s is %r, which is no part of a file name" % (match.group(1), value))
        return value

    path = re.sub(r"\{([a-z_]+)\}", fill, template)
    if path == template:
        raise NoToken("token_file has no {name}, so that each CE would get the same token")
    return path


def _gatekeeper(entry):
    """`host host:9619`: the last word is what the CE calls itself."""
    words = (entry.get("gatekeeper") or "").split()
    return words[-1] if words else None


def _read(path, owner):
    """The content of a file that nobody else could have put there: the directory is held, nothing is followed, nothing is waited for."""
    believed = _believed(owner)
    directory, name = os.path.split(path)
    try:
        held = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            _look(os.fstat(held), directory, believed, stat.S_ISDIR, 0o022)
            opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=held)
        finally:
            os.close(held)
        with os.fdopen(opened, "rb") as file:
            facts = os.fstat(file.fileno())
            _look(facts, path, believed, stat.S_ISREG, 0o027)
            if facts.st_nlink != 1:
                raise NoToken("%s has a second name (hard link)" % path)
            content = file.read(LARGEST_TOKEN + 1)
    except OSError as error:
        raise NoToken("%s cannot be read (%s)" % (path, error.strerror)) from None
    if len(content) > LARGEST_TOKEN:
        raise NoToken("%s is too large for a token" % path)
    return content.decode("ascii", "replace").strip()


def _believed(owner):
    believed = {0, os.geteuid()}
    try:
        believed.add(pwd.getpwnam(owner).pw_uid)
    except KeyError:
        pass
    return believed


def _look(facts, path, believed, is_right_kind, forbidden):
    if not is_right_kind(facts.st_mode):
        raise NoToken("%s is of the wrong kind" % path)
    if facts.st_uid not in believed:
        raise NoToken("%s belongs to user %d, who is not believed (see owner)" % (path, facts.st_uid))
    if facts.st_mode & forbidden:
        raise NoToken("%s is open to others (mode %04o)" % (path, stat.S_IMODE(facts.st_mode)))


def _remaining(token, path, min_lifetime, entry, log):
    claims = _claims(token, path)
    now = time.time()
    not_before = claims.get("nbf", 0)
    if not _is_time(claims.get("exp")) or not _is_time(not_before):
        raise NoToken("the token in %s does not say from when to when it is good" % path)
    if not_before > now + CLOCK_SKEW:
        raise NoToken("the token in %s is not good yet; is the clock right?" % path)
    left = int(claims["exp"] - now)
    if left < min_lifetime or left <= 0:
        raise NoToken("the token in %s is good for %d s, and %d are asked for; is tokeep running?" % (path, left, min_lifetime))
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    gatekeeper = _gatekeeper(entry)
    if gatekeeper is not None and gatekeeper not in audiences and not set(FOR_EVERYBODY).intersection(map(str, audiences)):
        log.warning("the token in %s is not for %s, which may refuse it", path, gatekeeper)
    return left


def _is_time(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e11


def _claims(token, path):
    parts = token.split(".")
    try:
        if len(parts) != 3 or not all(re.match(r"^[A-Za-z0-9_-]+\Z", part) for part in parts):
            raise ValueError
        payload = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(payload).decode("utf-8"))
        if not isinstance(claims, dict):
            raise ValueError
    except (ValueError, binascii.Error, RecursionError):
        # Without its cause, which may quote the token.
        raise NoToken("%s holds no JWT" % path) from None
    return claims


try:
    from glideinwms.lib.credentials import create_credential, CredentialType
    from glideinwms.lib.generators import export_generator, Generator
except ImportError:
    # 3.10, which knows `get_credential` only.
    Generator = None

if Generator is not None:

    class TokeepCeToken(Generator):
        """The interface of GlideinWMS 3.11. Not a cached generator: tokeep keeps the tokens."""

        CONTEXT_VALIDATION = {
            "token_file": (str, DEFAULTS["token_file"]),
            "min_lifetime": (int, DEFAULTS["min_lifetime"]),
            "owner": (str, DEFAULTS["owner"]),
            "trust_domain": ((str, None), None),
            "type": (str, "scitoken"),
        }

        def _setup(self):
            self.context.validate(self.CONTEXT_VALIDATION)

        def _generate(self, **kwargs):
            attributes = kwargs["glidein_el"]["attrs"]
            trust_domain = attributes.get("GLIDEIN_TrustDomain", "Grid")
            token = None
            if self.context["trust_domain"] in (None, trust_domain):
                entry = {
                    "name": attributes.get("EntryName"),
                    "gatekeeper": attributes.get("GLIDEIN_Gatekeeper"),
                    "factory": attributes.get("AuthenticatedIdentity"),
                }
                settings = {key: self.context[key] for key in DEFAULTS}
                try:
                    token, _ = get_credential(kwargs["logger"], kwargs["group_name"], entry, trust_domain, **settings)
                except NoToken:
                    pass
                if token is not None and "nbf" not in _claims(token, "it"):
                    # 3.11 computes with it, unasked.
                    kwargs["logger"].warning("no token for entry %s: it has no nbf, which GlideinWMS needs", entry["name"])
                    token = None
            # What a generator throws would end the frontend's group, with all of its entries. An expired token is what 3.11 itself
            # leaves out for this entry alone.
            return create_credential(token or _expired(), cred_type=CredentialType.SCITOKEN)

    export_generator(TokeepCeToken)


def _expired():
    """No token: no signature, and over since 1970."""
    parts = ({"alg": "none", "typ": "JWT"}, {"sub": "no-token", "nbf": 0, "exp": 0})
    return "%s." % ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
