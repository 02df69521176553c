import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { parse, stringify } from 'yaml';
import { createIssuer } from '../../src/mint/create-issuer.ts';
import type { OpenIssuer } from '../../src/mint/issuer.ts';
import { openSealer } from '../../src/store/seal-key.ts';
import type { IssuerUrl } from '../../src/token/names.ts';
import { minutes } from '../../src/token/time.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { assertNoTrace, type House, house } from './house.ts';

const url = 'https://tokens.example.org/ospool' as IssuerUrl;
const count = 137;
const jobs = 'compute.read compute.modify compute.create compute.cancel';

let home: House;
let issuer: OpenIssuer;

const config = (keys: string, out: string) => `
accounts:
  ospool:
    grant: signing_key
    issuer: ${url}
    keys: ${keys}
    profile: wlcg
tokens:
  ce-{name}:
    for_each: { file: ${home.path('ces.yaml')} }
    account: ospool
    subject: vofrontend-{name}
    audience: "{host}:9619"
    scope: [${jobs.replaceAll(' ', ', ')}]
    lifetime: 1h
    deliver: [{ file: "${out}/{name}.token" }]
`;

before(async () => {
  home = await house();
  const world = realWorld();
  issuer = await createIssuer(
    world,
    home.path('issuer'),
    {
      url,
      profile: 'wlcg',
      policy: {
        scopes: ['compute.*'],
        audiences: ['*:9619'],
        everyone: false,
        subjects: ['vofrontend-*'],
        groups: [],
        claims: [],
        lifetime: { usual: minutes(60), most: minutes(60) },
        suspended: [],
      },
      keys: 'sealed',
      store: { kind: 'sqlite' },
      algorithm: 'ES256',
      by: 'admin test',
    },
    // The key of the state: the renewer opens what was sealed with it.
    { sealer: () => openSealer(world, { keyFile: `${home.path('etc')}/seal.key` }), chain: 'test' },
  );
  const rows = Array.from({ length: count }, (_, n) => ({ name: `ce${n}`, host: `ce${n}.example.edu` }));
  await home.file('ces.yaml', stringify(rows));
  await home.file('tokeep.yaml', config(home.path('issuer'), home.path('out')));
});
after(async () => {
  await issuer.close();
  await home[Symbol.asyncDispose]();
});

async function tokens(): Promise<readonly string[]> {
  return await Promise.all(Array.from({ length: count }, async (_, n) => (await home.read(`out/ce${n}.token`)).trim()));
}

async function pass(...args: readonly string[]) {
  const ran = await home.run(['renew', '--json', ...args]);
  assertNoTrace(ran.stderr);
  return { ...ran, report: JSON.parse(ran.stdout) as { readonly renewed: number } };
}

async function suspend(subjects: readonly string[]): Promise<void> {
  const settings = parse(await home.read('issuer/issuer.yaml')) as { policy: Record<string, unknown> };
  settings.policy['suspend'] = subjects;
  await home.file('issuer/issuer.yaml', stringify(settings), 0o600);
}

test('one pass signs a token of its own for each of 137 compute entrypoints', async () => {
  const { status, stderr, report } = await pass();
  assert.equal(status, 0, stderr);
  assert.equal(report.renewed, count);
  const keys = createLocalJWKSet({ keys: (await issuer.keys()).map(({ jwk }) => ({ ...jwk })) });
  const seen = new Set<unknown>();
  for (const [n, token] of (await tokens()).entries()) {
    const { payload } = await jwtVerify(token, keys, { issuer: url, audience: `ce${n}.example.edu:9619` });
    assert.equal(payload.sub, `vofrontend-ce${n}`);
    assert.equal(payload['scope'], jobs);
    assert.equal(payload['wlcg.ver'], '1.0');
    assert.equal(Number(payload.exp) - Number(payload.iat), 3600);
    seen.add(payload.jti);
  }
  assert.equal(seen.size, count);
});

test('each token is a line in the audit log, with its target, and no token is in there', async () => {
  const lines = await issuer.audit.lines({});
  const issued = lines.filter(({ entry }) => entry.event === 'issued');
  assert.equal(issued.length, count);
  const one = issued.find(({ entry }) => entry.subject === 'vofrontend-ce7')?.entry;
  assert.equal(one?.by, 'renew ce-ce7');
  assert.deepEqual(one.deliveredTo, [`file:${home.path('out/ce7.token')}`]);
  assert.ok(!JSON.stringify(lines).includes('eyJ'));
  assert.equal((await issuer.audit.verify()).kind, 'whole');
});

test('what is fresh is not signed again, and a suspended subject gets nothing more, while the others do', async () => {
  assert.equal((await pass()).report.renewed, 0);
  await suspend(['vofrontend-ce7']);
  const before = await tokens();
  const { status, stderr, report } = await pass('--force');
  assert.equal(status, 5, stderr);
  assert.equal(report.renewed, count - 1);
  const after = await tokens();
  assert.equal(after[7], before[7]);
  assert.ok(after.every((token, n) => n === 7 || token !== before[n]));
  const shown = await home.run(['status', 'ce-ce7']);
  assert.match(shown.stdout + shown.stderr, /suspended/);
  await suspend([]);
});

test('a token that names no subject is left out of the configuration, with its place', async () => {
  const text = config(home.path('issuer'), home.path('out')).replace(/ +subject:.*\n/, '');
  const file = await home.file('without.yaml', text);
  const { status, stderr, stdout } = await home.run(['config', 'check', '--config', file]);
  assert.equal(status, 3);
  assert.match(stderr + stdout, /without\.yaml:\d+:\d+: .*"subject".*signs itself/);
});
