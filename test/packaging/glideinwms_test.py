"""What test/packaging/glideinwms.test.ts runs: the plugin with real files, and with the interface of GlideinWMS 3.11 in its place."""

import base64
import importlib.util
import json
import logging
import os
import stat
import sys
import tempfile
import time
import types
import unittest

PLUGIN = sys.argv.pop(1)
CANARY = "canary-signature-of-a-token"
ENTRY = {"name": "OSG_CE_1", "gatekeeper": "ce1.example.org ce1.example.org:9619", "factory": "factory@example.org"}


def load():
    spec = importlib.util.spec_from_file_location("tokeep_ce_token", PLUGIN)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def jwt(**claims):
    parts = [{"alg": "ES256", "typ": "JWT"}, dict({"aud": "ce1.example.org:9619"}, **claims)]
    return ".".join(
        [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
        + [CANARY.replace(" ", "-")]
    )


class PluginTest(unittest.TestCase):
    def setUp(self):
        self.plugin = load()
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)
        self.directory = os.path.join(self.home.name, "ce")
        os.mkdir(self.directory, 0o750)
        self.lines = []
        self.log = logging.Logger("frontend")
        self.log.addHandler(logging.Handler())
        self.log.handlers[0].emit = lambda record: self.lines.append((record.levelname, record.getMessage()))
        # The module logSupport of 3.10.
        self.support = types.SimpleNamespace(log=self.log)

    def put(self, content, name="OSG_CE_1.token", mode=0o640):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def ask(self, entry=None, logger=None, **settings):
        settings.setdefault("token_file", os.path.join(self.directory, "{name}.token"))
        return self.plugin.get_credential(
            logger or self.support, "main", ENTRY if entry is None else entry, "OSG", **settings
        )

    def refused(self, pattern, **more):
        with self.assertRaises(ValueError) as caught:
            self.ask(**more)
        said = "%s %r" % (self.lines, caught.exception)
        self.assertRegex(str(caught.exception), pattern)
        self.assertNotIn(CANARY, said)
        self.assertEqual(self.lines[-1][0], "WARNING")


class Handing(PluginTest):
    def test_the_token_of_the_entry_comes_with_what_is_left_of_its_life(self):
        token = jwt(exp=time.time() + 1800)
        path = self.put(token + "\n")
        os.utime(path, (0, 0))
        for logger in (self.support, self.log):
            found, lifetime = self.ask(logger=logger)
            self.assertEqual(found, token)
            self.assertTrue(1795 <= lifetime <= 1800)
        self.assertNotIn(CANARY, str(self.lines))

    def test_the_name_of_the_file_may_be_made_of_the_host_or_all_of_the_gatekeeper(self):
        token = jwt(exp=time.time() + 1800)
        self.put(token, "ce1.example.org.jwt")
        self.put(token, "main-ce1.example.org:9619")
        for template in ("{host}.jwt", "{group}-{gatekeeper}"):
            self.assertEqual(self.ask(token_file=os.path.join(self.directory, template))[0], token)

    def test_the_directory_of_tokens_of_the_old_interface_is_taken(self):
        self.put(jwt(exp=time.time() + 1800))
        self.plugin.SETTINGS_FILE = os.path.join(self.home.name, "none.ini")
        self.plugin.get_credential(self.support, "main", ENTRY, "OSG", self.directory)

    def test_settings_come_from_the_file_where_none_are_given(self):
        self.put(jwt(exp=time.time() + 1800))
        self.plugin.SETTINGS_FILE = os.path.join(self.home.name, "settings.ini")
        with open(self.plugin.SETTINGS_FILE, "w") as file:
            file.write("[tokeep]\ntoken_file = %s/{name}.token\nmin_lifetime = 1700\n" % self.directory)
        self.plugin.get_credential(self.support, "main", ENTRY, "OSG")
        with open(self.plugin.SETTINGS_FILE, "a") as file:
            file.write("min_livetime = 3\n")
        with self.assertRaisesRegex(ValueError, "unknown setting min_livetime"):
            self.plugin.get_credential(self.support, "main", ENTRY, "OSG")
        with open(self.plugin.SETTINGS_FILE, "w") as file:
            file.write("token_file = x\n")
        with self.assertRaisesRegex(ValueError, "is no settings file"):
            self.plugin.get_credential(self.support, "main", ENTRY, "OSG")

    def test_a_token_for_another_ce_is_handed_over_with_a_warning(self):
        self.put(jwt(exp=time.time() + 1800, aud=["other.example.org:9619"]))
        self.ask()
        self.assertRegex(str(self.lines), "is not for ce1.example.org:9619")
        self.lines.clear()
        for everybody in ("https://wlcg.cern.ch/jwt/v1/any", ["ANY"]):
            self.put(jwt(exp=time.time() + 1800, aud=everybody))
            self.ask()
        self.assertNotIn("WARNING", str(self.lines))


class Refusing(PluginTest):
    def test_a_token_with_less_than_the_margin_left_is_not_handed_over(self):
        self.put(jwt(exp=time.time() + 599))
        self.refused("good for 59[89] s, and 600 are asked for")
        self.assertEqual(self.ask(min_lifetime=300)[1] // 10, 59)
        self.put(jwt(exp=time.time() - 1))
        self.refused("good for -", min_lifetime=0)

    def test_a_fresh_file_does_not_make_an_old_token_good(self):
        self.put(jwt(exp=1))
        self.refused("good for -")

    def test_what_does_not_say_how_long_it_is_good_is_not_handed_over(self):
        for claims in ({}, {"exp": "2099"}, {"exp": True}, {"exp": float("nan")}, {"exp": None}, {"exp": 1e300}):
            self.put(jwt(**claims))
            self.refused("does not say from when to when")
        self.put(jwt(exp=time.time() + 1800, nbf=time.time() + 600))
        self.refused("not good yet")

    def test_what_is_no_jwt_is_not_handed_over_and_not_quoted(self):
        for content in ("", CANARY, "a.b.c", "a.b." + CANARY, "\u00e9." * 2, jwt(exp=1) + ".x", jwt(exp=2e9).replace(".", "\n.", 1), "[" * 12000):
            self.put(content)
            self.refused("holds no JWT")
        self.put("x" * (16 * 1024 + 1))
        self.refused("too large")

    def test_a_file_that_others_could_have_put_there_is_not_read(self):
        good = jwt(exp=time.time() + 1800)
        for mode in (0o644, 0o660, 0o602):
            path = self.put(good, mode=mode)
            self.refused("open to others")
        os.chmod(path, 0o600)
        os.link(path, path + ".second")
        self.refused("second name")
        os.remove(path)
        os.symlink(path + ".second", path)
        self.refused("cannot be read")
        os.remove(path)
        self.refused("cannot be read")
        os.mkfifo(path, 0o600)
        self.refused("wrong kind")

    def test_a_directory_that_others_can_write_to_or_that_is_a_link_is_not_used(self):
        self.put(jwt(exp=time.time() + 1800))
        os.chmod(self.directory, 0o770)
        self.refused("open to others")
        os.chmod(self.directory, stat.S_IRWXU)
        self.ask()
        other = os.path.join(self.home.name, "link")
        os.symlink(self.directory, other)
        self.refused("cannot be read", token_file=os.path.join(other, "{name}.token"))

    @unittest.skipIf(os.geteuid() != 0, "only root can give files away")
    def test_only_files_of_root_of_ourselves_and_of_the_named_owner_are_believed(self):
        path = self.put(jwt(exp=time.time() + 1800))
        os.chown(path, 65534, -1)
        self.refused("belongs to user 65534")
        self.ask(owner="nobody")

    def test_no_name_of_an_entry_leads_out_of_the_directory(self):
        for name in ("../x", "a/b", "..", ".", "", None, "a\nb", "OSG_CE_1\n", "x" * 300, 7):
            self.refused("no part of a file name", entry=dict(ENTRY, name=name))
        for gatekeeper in (None, "", "host ../../x"):
            self.refused(
                "no part of a file name",
                entry=dict(ENTRY, gatekeeper=gatekeeper),
                token_file=os.path.join(self.directory, "{gatekeeper}"),
            )

    def test_settings_without_sense_are_told(self):
        self.refused("has no {name}", token_file=os.path.join(self.directory, "all.token"))
        self.refused("absolute path", token_file="{name}.token")
        self.refused("no number of seconds", min_lifetime="soon")
        self.refused("no part of a file name", token_file=self.directory + "/{colour}")


class Generator311(PluginTest):
    """With stand-ins for what GlideinWMS 3.11 has."""

    def setUp(self):
        super().setUp()
        names = ["glideinwms", "glideinwms.lib", "glideinwms.lib.credentials", "glideinwms.lib.generators"]
        modules = {name: types.ModuleType(name) for name in names}
        exported = []

        class Context(dict):
            def validate(self, attributes):
                for key, (_, default) in attributes.items():
                    self.setdefault(key, default)

        class Generator:
            def __init__(self, context):
                self.context = Context(context)
                self._setup()

        modules["glideinwms.lib.credentials"].create_credential = lambda string, cred_type: (string, cred_type)
        modules["glideinwms.lib.credentials"].CredentialType = types.SimpleNamespace(SCITOKEN="scitoken")
        modules["glideinwms.lib.generators"].Generator = Generator
        modules["glideinwms.lib.generators"].export_generator = exported.append
        sys.modules.update(modules)
        self.addCleanup(lambda: [sys.modules.pop(name) for name in names])
        self.plugin = load()
        self.exported = exported

    def generate(self, **context):
        (generator,) = self.exported
        attributes = {
            "EntryName": ENTRY["name"],
            "GLIDEIN_Gatekeeper": ENTRY["gatekeeper"],
            "AuthenticatedIdentity": ENTRY["factory"],
            "GLIDEIN_TrustDomain": "OSG",
        }
        context.setdefault("token_file", os.path.join(self.directory, "{name}.token"))
        made = generator(context)
        return made._generate(logger=self.log, group_name="main", glidein_el={"attrs": attributes}, elementDescript=None)

    def test_the_token_of_the_entry_is_a_scitoken(self):
        token = jwt(exp=time.time() + 1800, nbf=0)
        self.put(token)
        self.assertEqual(self.generate(), (token, "scitoken"))
        self.assertEqual(self.generate(trust_domain="OSG"), (token, "scitoken"))

    def test_an_entry_without_a_token_gets_an_expired_one_and_does_not_stop_the_others(self):
        standing_in, kind = self.generate()
        self.assertEqual(kind, "scitoken")
        payload = standing_in.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        self.assertEqual((claims["exp"], standing_in.count("."), standing_in[-1]), (0, 2, "."))
        self.assertEqual([level for level, _ in self.lines], ["WARNING"])

    def test_a_token_on_which_glideinwms_would_fail_is_not_handed_over(self):
        self.put(jwt(exp=time.time() + 1800))
        self.assertTrue(self.generate()[0].endswith("."))
        self.assertRegex(str(self.lines), "it has no nbf")

    def test_entries_of_another_trust_domain_are_left_alone_without_a_word(self):
        self.put(jwt(exp=time.time() + 1800))
        self.assertTrue(self.generate(trust_domain="grid")[0].endswith("."))
        self.assertEqual(self.lines, [])


if __name__ == "__main__":
    unittest.main(verbosity=1)
