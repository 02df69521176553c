import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTemplate, expandRow } from '../../src/config/for-each.ts';
import type { TokenInput } from '../../src/config/schema-tokens.ts';
import type { WishName } from '../../src/token/names.ts';
import { load, sentences } from './in-memory.ts';

const template = (rows = '{ file: /rows.yaml }', name = 'ce-{name}', more = '') => `accounts:
  a: { grant: refresh_token, issuer: https://a.example/ }
tokens:
  ${name}:
    for_each: ${rows}
    account: a
    subject: vofrontend-{name}
    audience: "{host}:9619"
    scope: [compute.read, compute.modify]
    lifetime: 1h
    deliver: [{ file: "/var/lib/tokeep/ce/{name}.token" }]
${more}`;

test('each row of a file becomes a wish with its values filled in', async () => {
  const config = await load('/c.yaml', template(), {
    '/rows.yaml': '- { name: one, host: ce1.example }\n- { name: 2, host: ce2.example }\n',
  });
  assert.deepEqual(sentences(config), []);
  assert.deepEqual([...config.wishes.keys()], ['ce-one', 'ce-2']);
  const wish = config.wishes.get('ce-2' as WishName)!;
  assert.deepEqual(
    [wish.subject, wish.audience.audiences, wish.targets[0]?.id, wish.lifetime, wish.at.line],
    ['vofrontend-2', ['ce2.example:9619'], 'file:/var/lib/tokeep/ce/2.token', 3_600_000, 4],
  );
});

test('rows may be printed by a command', async () => {
  const command = '{ command: [/bin/echo, \'[{"name":"x","host":"h"}]\'] }';
  const { mkdtemp, writeFile, rm } = await import('node:fs/promises');
  const { loadConfig } = await import('../../src/config/load.ts');
  const { realWorld } = await import('../../src/world/real-world.ts');
  const directory = await mkdtemp('/tmp/tokeep-for-each-');
  await writeFile(`${directory}/c.yaml`, template(command), { mode: 0o600 });
  const config = await loadConfig(realWorld(), `${directory}/c.yaml`);
  await rm(directory, { recursive: true });
  assert.deepEqual(sentences(config), []);
  assert.deepEqual([...config.wishes.keys()], ['ce-x']);
});

const hostile: readonly (readonly [string, string, string])[] = [
  [
    'a path that leads elsewhere',
    '{ name: ../../etc/cron.d/x, host: h }',
    'row 1: column "name" holds "../../etc/cron.d/x", which would lead a path elsewhere',
  ],
  ['a line feed', '{ name: "a\\nb", host: h }', 'row 1: column "name" holds a control character'],
  ['a missing column', '{ name: a }', 'row 1: column "host" is missing, or is not a text or a number'],
  ['an empty column', '{ name: "", host: h }', 'row 1: column "name" is empty'],
  [
    'a name with a blank',
    '{ name: a b, host: h }',
    'row 1: the name "ce-a b" has a blank, a control character or a "/", which a name cannot have',
  ],
];

for (const [name, row, said] of hostile) {
  test(`a row with ${name} is left out and named, and the other rows go on`, async () => {
    const config = await load('/c.yaml', template(), { '/rows.yaml': `- ${row}\n- { name: good, host: h }\n` });
    assert.deepEqual(sentences(config), [`/c.yaml:5:5: ${said}`]);
    assert.deepEqual([...config.wishes.keys()], ['ce-good']);
  });
}

test('what is wrong with the rows as a whole is said at for_each', async () => {
  const said = async (text: string, rows?: string) =>
    sentences(await load('/c.yaml', text, rows === undefined ? {} : { '/rows.yaml': rows }));
  assert.deepEqual(await said(template()), ['/c.yaml:5:5: there are no rows: /rows.yaml does not exist']);
  assert.deepEqual(await said(template(), 'a: b'), ['/c.yaml:5:5: /rows.yaml does not hold a list of rows']);
  assert.deepEqual(await said(template(), '- a'), [
    '/c.yaml:5:5: row 1 of /rows.yaml is not a mapping of columns to values',
  ]);
  assert.deepEqual(await said(template(), '- [}'), ['/c.yaml:5:5: /rows.yaml is neither YAML nor JSON']);
  assert.deepEqual(await said(template('{ file: /rows.yaml }', 'ce'), '[]'), [
    '/c.yaml:5:5: the name "ce" has no {column}, so every row would have the same name',
  ]);
  assert.match(
    (await said(template('{ command: [/no/such/program] }')))[0]!,
    /^\/c\.yaml:5:5: .* on the way to the command \/no\/such\/program, does not exist$/,
  );
});

test('two rows of one name are told apart by leaving the second out', async () => {
  const config = await load('/c.yaml', template(), {
    '/rows.yaml': '[{"name":"a","host":"x"},{"name":"a","host":"y"}]',
  });
  assert.deepEqual(sentences(config), ['/c.yaml:4:3: there is already a token "ce-a", at line 4']);
});

test('a row can choose neither the program to run nor an option for it', () => {
  const input = (exec: readonly string[]) => ({ account: 'a', deliver: [{ exec }] }) as unknown as TokenInput;
  assert.throws(() => compileTemplate('t-{n}', input(['/bin/{n}'])), /a row cannot choose the program/);
  const at = { file: '/c.yaml', line: 1, column: 1 };
  const template = compileTemplate('t-{n}', input(['/bin/put', '{n}']));
  assert.equal(
    expandRow(template, { n: '--delete' }, at),
    'column "n" holds "--delete", which a program would take for an option',
  );
});

test('the template is checked once, so ten thousand rows cost only their texts', async () => {
  const rows = Array.from({ length: 10_000 }, (_, index) => ({ name: `n${index}`, host: `h${index}.example` }));
  const config = await load('/c.yaml', template(), { '/rows.yaml': JSON.stringify(rows) });
  assert.equal(config.wishes.size, 10_000);
  assert.equal(new Set([...config.wishes.values()].map((wish) => wish.fingerprint)).size, 10_000);
});
