import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Authz, AuthzBook } from '../../src/condor/authz.ts';
import { filledIn } from '../../src/condor/authz-template.ts';
import type { AuthzTemplate } from '../../src/condor/settings.ts';
import type { CommandCall } from '../../src/world/processes.ts';
import { realWorld } from '../../src/world/real-world.ts';
import type { World } from '../../src/world/world.ts';
import { freshPlace } from './local-bed.ts';

/** Below the home directory, since programs in a directory that everybody can write to are not run. */
const programs = mkdtempSync(`${homedir()}/.tokeep-authz-`);
process.on('exit', () => rmSync(programs, { recursive: true, force: true }));

/** In the form of classad_eval's answers; knows the two functions that are asked for here, and JavaScript where ClassAds are the same. */
const standIn = `#!${process.execPath}
const strcat = (...parts) => parts.join('');
const substr = (text, from, length) => text.slice(from, from + length);
const ad = {};
for (const arg of process.argv.slice(2)) {
  if (arg === '-quiet') continue;
  const [, name, value] = /^(Username|Scopes) = ([^]*)$/.exec(arg) ?? [];
  if (name === 'Username') ad.Username = JSON.parse(value);
  else if (name === 'Scopes')
    try {
      ad.scopes = new Function('strcat', 'substr', 'Username', 'error', 'return ' + value);
    } catch {
      console.error("Unable to turn '" + arg + "' into a ClassAd or an expression.");
      process.exit(1);
    }
  else {
    const found = ad.scopes(strcat, substr, ad.Username, null);
    console.log(typeof found === 'string' ? JSON.stringify(found) : found === undefined ? 'undefined' : 'error');
  }
}
`;
writeFileSync(`${programs}/classad_eval`, standIn, { mode: 0o755 });
chmodSync(`${programs}/classad_eval`, 0o755);

/** HTCondor's own where it is installed, or where TOKEEP_TEST_CONDOR_BIN says. */
const installed = process.env['TOKEEP_TEST_CONDOR_BIN'] ?? '/usr/bin';
const condorBin = existsSync(`${installed}/classad_eval`) ? installed : programs;
if (condorBin === programs) console.log(`# there is no ${installed}/classad_eval: a stand-in answers for it`);

const world = realWorld();
const bookOf = (bin = condorBin, of: World = world) => new AuthzBook(of, bin);

const scopesOf = (authz: Authz): readonly string[] => {
  assert.ok(authz.kind === 'scopes', JSON.stringify(authz));
  return authz.scopes;
};
const refusal = (authz: Authz): string => {
  assert.ok(authz.kind === 'refused', JSON.stringify(authz));
  return `${authz.fault.code}: ${authz.fault.message}`;
};

function mapfile(...lines: readonly string[]): string {
  const path = `${freshPlace()}/groups`;
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

test('the template is filled with the name of the user', async () => {
  const book = bookOf();
  const template = 'read:/user/{username}  write:/user/{username}/{username}\ncondor:/READ';
  assert.deepEqual(scopesOf(await book.of({ template }, 'alice')), [
    'read:/user/alice',
    'write:/user/alice/alice',
    'condor:/READ',
  ]);
});

test('what Python would not fill in is refused, and braces that are doubled are meant', async () => {
  const book = bookOf();
  for (const template of ['read:/{user}', 'read:/{}', 'read:/{username', 'read:/username}', 'read:/{username!r}']) {
    assert.match(refusal(await book.of({ template }, 'alice')), /config-invalid: AUTHZ_TEMPLATE holds/, template);
  }
  assert.deepEqual(scopesOf(await book.of({ template: 'x:/{{{username}}}' }, 'al')), ['x:/{al}']);
  const anyText = fc.string({ unit: 'grapheme' });
  fc.assert(fc.property(anyText, (text) => filledIn('T', text.replace(/[{}]/g, '$&$&'), { username: 'u' }) === text));
});

test('a name that is none of HTCondor gets nothing, and what is no scope is not handed on', async () => {
  const book = bookOf();
  for (const user of ['', '..', 'a b', 'a/b', 'a"b', 'a\nb', 'ä']) {
    assert.match(refusal(await book.of({ template: 'read:/' }, user)), /is no name of a user/);
  }
  assert.match(
    refusal(await book.of({ template: 'read:/"x"' }, 'al')),
    /the scope ".*" that the templates give al is none/,
  );
});

test('of a mapfile the first line of a user counts; patterns, remarks and half lines are passed over', async () => {
  const groupMapfile = mapfile(
    '# * alice none',
    '* /.*/ everybody',
    'SCITOKENS alice other',
    '* alice',
    '  *\talice   cms,,atlas, more',
    '* alice late',
    '* bob cms',
  );
  const template = {
    template: 'a:/',
    groupTemplate: 'read:/groups/{groupname} write:/groups/{groupname}',
    groupMapfile,
  };
  const book = bookOf();
  assert.deepEqual(scopesOf(await book.of(template, 'alice')), [
    'a:/',
    'read:/groups/cms',
    'write:/groups/cms',
    'read:/groups/atlas',
    'write:/groups/atlas',
  ]);
  assert.deepEqual(scopesOf(await book.of(template, 'bob')).length, 3);
  assert.deepEqual(scopesOf(await book.of(template, 'carol')), ['a:/']);
  assert.deepEqual(scopesOf(await book.of(template, 'Alice')), ['a:/']);
});

test('a template for groups without a mapfile gives the rest, and a remark', async () => {
  const answer = await bookOf().of({ template: 'a:/', groupTemplate: 'b:/{groupname}' }, 'alice');
  assert.deepEqual(scopesOf(answer), ['a:/']);
  assert.match(String(answer.kind === 'scopes' && answer.remarks), /AUTHZ_GROUP_MAPFILE is not/);
});

test('a user outside the group that is wanted is refused with a sentence, and gets no empty token', async () => {
  const groupMapfile = mapfile('* alice cms,atlas', '* bob atlas');
  const template = { template: 'a:/', groupMapfile, groupRequirement: 'cms' };
  const book = bookOf();
  assert.deepEqual(scopesOf(await book.of(template, 'alice')), ['a:/']);
  for (const user of ['bob', 'carol']) {
    const refused = refusal(await book.of(template, user));
    assert.equal(refused, `request-refused: ${user} is not in the group cms, which AUTHZ_GROUP_REQUIREMENT wants`);
  }
  const without: AuthzTemplate = { template: 'a:/', groupRequirement: 'cms' };
  assert.match(refusal(await book.of(without, 'alice')), /config-invalid: .* AUTHZ_GROUP_MAPFILE is not set/);
});

test('a mapfile that was changed, came or went is noticed, and read once until then', async () => {
  const path = mapfile('* alice cms');
  const template = { template: 'a:/', groupTemplate: '{groupname}:/', groupMapfile: path };
  let reads = 0;
  const readText: World['files']['readText'] = (...args) => {
    reads += 1;
    return world.files.readText(...args);
  };
  const book = bookOf(condorBin, { ...world, files: { ...world.files, readText } });
  const users = Array.from({ length: 10_000 }, (_, index) => `u${index}`);
  await Promise.all(users.map((user) => book.of(template, user)));
  assert.deepEqual([reads, await book.changed()], [1, false]);
  writeFileSync(path, '* alice atlas,lhcb\n');
  assert.equal(await book.changed(), true);
  assert.deepEqual(scopesOf(await book.of(template, 'alice')), ['a:/', 'atlas:/', 'lhcb:/']);
  assert.deepEqual([reads, await book.changed()], [2, false]);
  rmSync(path);
  assert.equal(await book.changed(), true);
  const required = { ...template, groupRequirement: 'atlas' };
  assert.match(refusal(await book.of(required, 'alice')), /config-invalid: the mapfile .* is not there/);
  const less = await book.of(template, 'alice');
  assert.deepEqual(scopesOf(less), ['a:/']);
  assert.match(String(less.kind === 'scopes' && less.remarks), /^the mapfile .* is not there, so that nobody gets/);
  assert.equal(await book.changed(), false);
  writeFileSync(path, '* alice cms\n');
  assert.equal(await book.changed(), true);
  assert.deepEqual(scopesOf(await book.of(template, 'alice')), ['a:/', 'cms:/']);
  chmodSync(path, 0o666);
  assert.equal(await book.changed(), true);
  assert.match(refusal(await book.of(required, 'alice')), /can be written by everybody/);
  assert.deepEqual(scopesOf(await book.of(template, 'alice')), ['a:/']);
});

const expression = 'strcat("read:/user/", substr(Username, 0, 1), "/", Username, " x:/y")';

test('the expression is evaluated with the user as Username, and stands between template and groups', async () => {
  const groupMapfile = mapfile('* alice cms');
  const template = { template: 'a:/', expression, groupTemplate: 'g:/{groupname}', groupMapfile };
  assert.deepEqual(scopesOf(await bookOf().of(template, 'alice')), ['a:/', 'read:/user/a/alice', 'x:/y', 'g:/cms']);
});

test('an expression that gives no string adds nothing and is told of, each user by itself', async () => {
  const book = bookOf();
  const template = {
    template: 'a:/',
    expression: 'Username == "alice" ? "b:/" : (Username == "bob" ? undefined : 17)',
  };
  const [alice, bob, carol] = await Promise.all(['alice', 'bob', 'carol'].map((user) => book.of(template, user)));
  assert.deepEqual(scopesOf(alice as Authz), ['a:/', 'b:/']);
  for (const [answer, why] of [
    [bob, /is undefined/],
    [carol, /gives no string/],
  ] as const) {
    assert.deepEqual(scopesOf(answer as Authz), ['a:/']);
    assert.match(String(answer?.kind === 'scopes' && answer.remarks), why);
  }
  assert.match(
    refusal(await book.of({ template: 'a:/', expression: '"b:/\\\\"' }, 'alice')),
    /the scope ".*" .* is none/,
  );
});

test('what is no expression takes nothing else from anybody, and is told of', async () => {
  const book = bookOf();
  for (const broken of ['strcat(', 'foo bar']) {
    const answers = await Promise.all(
      ['al', 'bo'].map((user) => book.of({ template: 'a:/', expression: broken }, user)),
    );
    for (const answer of answers) {
      assert.deepEqual(scopesOf(answer), ['a:/']);
      assert.match(String(answer.kind === 'scopes' && answer.remarks), /AUTHZ_TEMPLATE_EXPR is no expression/);
    }
  }
});

test('whoever asks at the same time shares a call, and each answer is kept', async () => {
  const calls: CommandCall[] = [];
  const run: World['processes']['run'] = (call) => {
    calls.push(call);
    return world.processes.run(call);
  };
  const book = bookOf(condorBin, { ...world, processes: { run } });
  const users = Array.from({ length: 2500 }, (_, index) => `user-${index}`);
  const ask = () =>
    Promise.all(users.map(async (user) => scopesOf(await book.of({ template: 'a:/', expression }, user))));
  const found = await ask();
  assert.deepEqual(found[1234], ['a:/', 'read:/user/u/user-1234', 'x:/y']);
  assert.ok(calls.length <= 4, `${calls.length} calls`);
  const before = calls.length;
  assert.deepEqual(await ask(), found);
  assert.equal(calls.length, before);
});

test('without the program, or where it fails, the sentence says so, and the next question tries again', async () => {
  const place = mkdtempSync(`${homedir()}/.tokeep-authz-`);
  try {
    const book = bookOf(place);
    const template = { template: 'a:/', expression: '"b:/"' };
    const absent = refusal(await book.of(template, 'alice'));
    assert.match(
      absent,
      /command-untrusted: AUTHZ_TEMPLATE_EXPR could not be evaluated: .*classad_eval does not exist/,
    );
    const program = (body: string) => writeFileSync(`${place}/classad_eval`, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    program('exit 1');
    assert.match(refusal(await book.of(template, 'alice')), /command-failed: .* ended with status 1/);
    program('echo one; echo two');
    assert.match(refusal(await book.of(template, 'alice')), /of 1 users .*answered with 2 lines/);
    program('echo \'"b:/"\'');
    assert.deepEqual(scopesOf(await book.of(template, 'alice')), ['a:/', 'b:/']);
  } finally {
    rmSync(place, { recursive: true });
  }
});
