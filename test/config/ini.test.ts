import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type IniFile, type IniSection, parseIni } from '../../src/config/ini.ts';
import { interpolate } from '../../src/config/interpolation.ts';

interface Recorded {
  readonly text: string;
  readonly sections?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly error?: string;
}

/** What Python's configparser makes of each text, once asked (Python 3.11). */
const recorded: readonly Recorded[] = JSON.parse(
  await readFile(new URL('python-configparser.json', import.meta.url), 'utf8'),
);

for (const { text, sections, error } of recorded) {
  test(`${JSON.stringify(text)} is read as Python's configparser reads it`, () => {
    const file = parseIni(text);
    const ours = file.sections.map((section) => [section.header, optionsOf(file, section)] as const);
    const amiss = file.problems.length > 0 || ours.some(([, options]) => options === undefined);
    if (error === undefined) {
      assert.equal(amiss, false);
      assert.deepEqual(Object.fromEntries(ours), sections);
    } else assert.equal(amiss, true);
  });
}

/** All options with their values filled in; undefined where Python would give up. */
function optionsOf(file: IniFile, section: IniSection): Record<string, string> | undefined {
  const all = new Map([...file.defaults, ...section.options]);
  const options: Record<string, string> = {};
  for (const [name, option] of all) {
    const result = interpolate(option.value, (other) => all.get(other)?.value);
    if (result.kind !== 'value' || result.stray) return undefined;
    options[name] = result.value;
  }
  return options;
}

test('a per cent sign that refers to nothing stands for itself, and is mentioned', () => {
  assert.deepEqual(
    interpolate('a%b%%c%(d', () => undefined),
    { kind: 'value', value: 'a%b%c%(d', stray: true },
  );
});

test('options and values know their line and column', () => {
  const [section] = parseIni('\n  [token a]\nscope   =  read\n').sections;
  assert.deepEqual([section?.line, section?.column], [2, 3]);
  const scope = section?.options.get('scope');
  assert.deepEqual([scope?.line, scope?.column, scope?.valueAt], [3, 1, { line: 3, column: 12 }]);
});
