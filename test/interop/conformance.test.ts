import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { after, test } from 'node:test';
import { conformanceCases, filesInPlace, wishOf } from './conformance-cases.ts';
import { conformancePage, conformancePath } from './conformance-page.ts';
import { authdb, conformanceCfg, storageArea } from './conformance-storage.ts';
import { startIssuer } from './issuer-here.ts';
import { likeRelease } from './known-releases.ts';
import { startXrootd } from './start-xrootd.ts';
import { curl } from './storage-clients.ts';
import { surroundings } from './surroundings.ts';

const told = surroundings();
const issuer = await startIssuer(told);
await issuer.publish();
const storage = await startXrootd(
  {
    scitokens: (audience) => conformanceCfg(audience, issuer.url),
    files: Object.fromEntries(Object.entries(filesInPlace).map(([path, text]) => [storageArea + path, text])),
    authdb,
  },
  told,
);
after(async () => {
  await storage[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

const release = likeRelease(told.xrootd);

test(`XRootD ${told.xrootd} answers the cases of the WLCG suite as the table says of ${release}`, async () => {
  const tokens = await issuer.mint(conformanceCases.map(({ token }) => wishOf(token, storage.url)));
  const answers: [string, number][] = [];
  for (const [index, { title, request }] of conformanceCases.entries()) {
    const { method, path } = request;
    const file = method === 'PUT' ? { file: import.meta.filename } : {};
    const asked = { method, token: tokens[index] ?? '', ...file };
    answers.push([title, await curl(storage.url + storageArea + path, asked, told)]);
  }
  assert.deepEqual(
    Object.fromEntries(answers),
    Object.fromEntries(conformanceCases.map(({ title, answered }) => [title, answered[release]])),
  );
});

test(`${conformancePath} is what the cases and tokeep say (mend it with: node test/interop/write-conformance.ts)`, async () => {
  assert.equal(readFileSync(resolve(import.meta.dirname, '../..', conformancePath), 'utf8'), await conformancePage());
});
