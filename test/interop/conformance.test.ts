import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { claimsOf, conformanceCases, filesInPlace, type KnownRelease, knownReleases } from './conformance-cases.ts';
import { startIssuer } from './issuer-here.ts';
import { signOddly } from './odd-tokens.ts';
import { scitokensCfg } from './scitokens-cfg.ts';
import { startXrootd } from './start-xrootd.ts';
import { curl } from './storage-clients.ts';
import { surroundings } from './surroundings.ts';

const told = surroundings();
const area = '/wlcg';
const issuer = await startIssuer(told);
await issuer.publish();
const storage = await startXrootd(
  {
    scitokens: (audience) => scitokensCfg({ audience, issuer: issuer.url, basePath: area, onmissing: 'passthrough' }),
    files: Object.fromEntries(Object.entries(filesInPlace).map(([path, text]) => [area + path, text])),
    // The suite's rules for groups: all may read everything and write but below /protected, where only the group wlcg/test may.
    authdb: 'g /wlcg /wlcg/protected rl /wlcg a\ng /wlcg/test /wlcg/protected a\n',
  },
  told,
);
after(async () => {
  await storage[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

/** The newest release on record that is not newer than the one here. */
function likeHere(): KnownRelease {
  const order = (release: string) => release.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0);
  return knownReleases.findLast((release) => order(release) <= order(told.xrootd)) ?? knownReleases[0];
}

const release = likeHere();

test(`XRootD ${told.xrootd} answers the cases of the WLCG suite as the table says of ${release}`, async () => {
  const answers: [string, number][] = [];
  for (const { title, token, request } of conformanceCases) {
    const text = signOddly(issuer.signingKey(), { claims: { iss: issuer.url, ...claimsOf(token, storage.url) } });
    const file = request.method === 'PUT' ? { file: import.meta.filename } : {};
    const status = await curl(
      storage.url + area + request.path,
      { method: request.method, token: text, ...file },
      told,
    );
    answers.push([title, status]);
  }
  assert.deepEqual(
    Object.fromEntries(answers),
    Object.fromEntries(conformanceCases.map(({ title, answered }) => [title, answered[release]])),
  );
});
