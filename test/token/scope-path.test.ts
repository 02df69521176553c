import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  coversPath,
  isAbove,
  type PathTarget,
  printPath,
  readRequestPath,
  readScopePath,
  type ScopePath,
} from '../../src/token/scope-path.ts';

function path(raw: string): ScopePath {
  const reading = readScopePath(raw);
  assert.ok(reading.kind === 'path', `${raw} is refused`);
  return reading.path;
}

test('VER-09: tricks with paths fail closed, with the reason', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['', /the path is missing/],
    ['data', /"data" does not start with "\/"/],
    ['./data', /does not start/],
    ['%2fdata', /does not start/],
    ['//', /has "\/\/" in it/],
    ['//data', /has "\/\/" in it/],
    ['/foo//bar', /has "\/\/" in it/],
    ['/foo//', /has "\/\/" in it/],
    ['/..', /segment ".."/],
    ['/foo/../data', /segment ".."/],
    ['/foo/./data', /segment "."/],
    ['/foo/.', /segment "."/],
    ['/foo/%2e%2e/data', /segment ".."/],
    ['/foo/%2E./data', /segment ".."/],
    ['/foo/.%2e/', /segment ".."/],
    ['/foo/%2e/data', /segment "."/],
    ['/foo%2fdata', /encoded "\/"/],
    ['/foo/..%2Fdata', /encoded "\/"/],
    ['/foo/%252e%252e/data', /encoded twice/],
    ['/foo%252fdata', /encoded twice/],
    ['/%2541', /encoded twice/],
    ['/%25%34%31', /encoded twice/],
    ['/foo%00', /control character/],
    ['/foo\0', /control character/],
    ['/foo%0d%0abar', /control character/],
    ['/foo%7f', /control character/],
    ['/foo%c2%85', /control character/],
    ['/foo\\..\\data', /character "\\\\"/],
    ['/foo%5c..%5cdata', /backslash/],
    ['/%zz', /"%" without two hexadecimal digits/],
    ['/foo%', /"%" without two hexadecimal digits/],
    ['/foo%4', /"%" without two hexadecimal digits/],
    ['/%c0%ae%c0%ae/data', /not UTF-8/],
    ['/%ff', /not UTF-8/],
    ['/%ed%a0%80', /not UTF-8/],
    ['/é', /character "é"/],
    ['/a b', /a blank/],
    ['/a?b', /character "\?"/],
    ['/a#b', /character "#"/],
  ];
  for (const [raw, why] of cases) {
    const reading = readScopePath(raw);
    assert.ok(reading.kind === 'refused', `${raw} is read`);
    assert.match(reading.why, why);
  }
});

test('a scope path is decoded once, segment by segment, and keeps its case', () => {
  assert.deepEqual(path('/'), { segments: [], directoryOnly: false });
  assert.deepEqual(path('/Data/x'), { segments: ['Data', 'x'], directoryOnly: false });
  assert.deepEqual(path('/data/'), { segments: ['data'], directoryOnly: true });
  assert.deepEqual(path('/%64ata/a%20b/100%25'), { segments: ['data', 'a b', '100%'], directoryOnly: false });
  assert.deepEqual(path('/...'), { segments: ['...'], directoryOnly: false });
  assert.deepEqual(path('/J%C3%BCrgen:a@b'), { segments: ['Jürgen:a@b'], directoryOnly: false });
});

test('VER-09: a path that somebody asks for is not decoded, and as strictly read', () => {
  assert.deepEqual(readRequestPath('/my data/Jürgen?#'), {
    kind: 'path',
    path: { segments: ['my data', 'Jürgen?#'], directoryOnly: false },
  });
  assert.deepEqual(readRequestPath('/data/'), { kind: 'path', path: { segments: ['data'], directoryOnly: true } });
  const tricks = [
    '',
    'data',
    '//data',
    '/data/../x',
    '/data/.',
    '/a\\b',
    '/a\0',
    '/a\nb',
    '/%2e%2e/x',
    '/a%2fb',
    '/\ud800',
  ];
  for (const raw of tricks) assert.equal(readRequestPath(raw).kind, 'refused', raw);
  const encoded = readRequestPath('/my%20data');
  assert.match(encoded.kind === 'refused' ? encoded.why : '', /has a percent escape; here it has to stand as/);
});

test('the canonical spelling encodes what RFC 3986 wants encoded, in capitals, and nothing else', () => {
  assert.equal(printPath(path('/')), '/');
  assert.equal(printPath(path('/%7euser/%64ata/')), '/~user/data/');
  assert.equal(printPath(path("/a!$&'()*+,;=:@-._~")), "/a!$&'()*+,;=:@-._~");
  assert.equal(printPath(path('/%3a%5b[{%c3%a9')), '/:%5B%5B%7B%C3%A9');
  assert.equal(printPath(path('/100%25')), '/100%25');
});

test('VER-09: paths are covered by whole segments and with their case', () => {
  const cases: readonly (readonly [string, string, PathTarget, boolean])[] = [
    ['/', '/', 'unknown', true],
    ['/', '/any/where', 'file', true],
    ['/foo', '/foo', 'file', true],
    ['/foo', '/foo/bar', 'file', true],
    ['/foo', '/foobar', 'file', false],
    ['/foo', '/fo', 'file', false],
    ['/foo', '/', 'directory', false],
    ['/foo', '/Foo', 'file', false],
    ['/foo/bar', '/foo', 'directory', false],
    ['/foo/', '/foo', 'file', false],
    ['/foo/', '/foo', 'directory', true],
    ['/foo/', '/foo', 'unknown', false],
    ['/foo/', '/foo/', 'unknown', true],
    ['/foo', '/foo/', 'unknown', true],
    ['/foo/', '/foo/bar', 'file', true],
    ['/%66oo', '/foo/bar', 'file', true],
    // The same letter to the eye, composed and decomposed: two names to most file systems.
    ['/%C3%A9', '/e%CC%81', 'file', false],
  ];
  for (const [held, wanted, target, answer] of cases) {
    assert.equal(coversPath(path(held), path(wanted), target), answer, `${held} covers ${wanted} (${target})`);
  }
});

test('a missing directory on the way to a path is above it, the path itself and its neighbours are not', () => {
  assert.ok(isAbove(path('/foo'), path('/foo/bar')));
  assert.ok(isAbove(path('/'), path('/foo')));
  assert.ok(!isAbove(path('/foo/bar'), path('/foo/bar')));
  assert.ok(!isAbove(path('/fo'), path('/foo/bar')));
  assert.ok(!isAbove(path('/foo/bar/qux'), path('/foo/bar')));
});

const pieces = [
  '/',
  '/',
  '/',
  'a',
  'A',
  'b',
  '.',
  '..',
  '%',
  '%61',
  '%2f',
  '%2F',
  '%2e',
  '%252e',
  '%00',
  '%5c',
  '%c3%a9',
  '\\',
  '?',
  '%25',
];
const trickyPath = fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => `/${parts.join('')}`);
const cleanPath = fc
  .record({
    segments: fc.array(fc.constantFrom('a', 'b', 'A', 'a b', 'é', '100%', 'x:y'), { maxLength: 4 }),
    slash: fc.boolean(),
  })
  .map(({ segments, slash }): ScopePath => ({ segments, directoryOnly: slash && segments.length > 0 }));

test('VER-09: what is read, is read alike by whoever normalises first and decodes afterwards', () => {
  const seen = { path: 0, refused: 0 };
  fc.assert(
    fc.property(trickyPath, (raw) => {
      const reading = readScopePath(raw);
      seen[reading.kind] += 1;
      if (reading.kind === 'refused') return;
      const { segments, directoryOnly } = reading.path;
      const plain = `/${segments.join('/')}${directoryOnly ? '/' : ''}`;
      assert.equal(decodeURIComponent(new URL(`https://storage.example${raw}`).pathname), plain);
      assert.deepEqual(readRequestPath(plain), reading);
    }),
    { numRuns: 2000 },
  );
  assert.ok(seen.path > 50 && seen.refused > 50);
});

test('printing and reading a path are each other’s inverse, whatever is in the segments', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, unit: 'grapheme' }), { maxLength: 4 }),
      fc.boolean(),
      (names, slash) => {
        const reading = readRequestPath(`/${names.join('/')}${slash ? '/' : ''}`);
        if (reading.kind === 'refused') return;
        const printed = printPath(reading.path);
        assert.deepEqual(path(printed), reading.path);
        assert.equal(printPath(path(printed)), printed);
        assert.match(printed, /^[\x21-\x7e]+$/);
      },
    ),
    { numRuns: 500 },
  );
});

test('covering is reflexive and transitive, and two paths that cover each other are one', () => {
  fc.assert(
    fc.property(
      cleanPath,
      cleanPath,
      cleanPath,
      fc.constantFrom<PathTarget>('file', 'directory', 'unknown'),
      (a, b, c, target) => {
        assert.ok(coversPath(a, a, 'unknown'));
        if (coversPath(a, b, target) && coversPath(b, c, target)) assert.ok(coversPath(a, c, target));
        if (coversPath(a, b, 'unknown') && coversPath(b, a, 'unknown')) assert.deepEqual(a, b);
        if (coversPath(a, b, 'unknown')) assert.ok(coversPath(a, b, 'directory'));
      },
    ),
    { numRuns: 2000 },
  );
});
