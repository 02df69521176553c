import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Pool } from '../pool.ts';
import { robotService, services } from '../pool-config.ts';
import { surroundings } from '../surroundings.ts';

const told = surroundings();
const pool = new Pool(told.root);

test('after all that: no token and no client secret stands in what the credmon and the web login wrote', async () => {
  const written = ['CredMonOAuthLog', 'CredMonWebLog'].map((name) =>
    readFileSync(join(told.root, 'var/log/condor', name), 'utf8'),
  );
  const { stdout, stderr } = await pool.run(['tokeep', 'credmon', 'status', '--json']);
  assert.ok(stdout.length > 0, stderr);
  for (const text of [...written, stdout, stderr]) {
    for (const { secret } of [...Object.values(services), robotService]) assert.ok(!text.includes(secret));
    assert.doesNotMatch(text, /eyJ[\w-]+\.eyJ[\w-]+\./, 'a JWT');
    assert.doesNotMatch(text, /nobody has logged in/, 'no false alarm about a login that has just come');
    assert.doesNotMatch(text, /unexpected-fault/, 'nor anything that nobody had thought of');
    assert.doesNotMatch(text, /"(refresh|access)_token":\s*"/);
  }
});
