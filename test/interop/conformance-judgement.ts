import type { AccessRequest } from '../../src/verify/access.ts';
import { decide } from '../../src/verify/authorize.ts';
import { KeyCache } from '../../src/verify/key-cache.ts';
import { areaOf, readScitokensCfg } from '../../src/verify/scitokens-cfg.ts';
import { strictTrust } from '../../src/verify/trust.ts';
import { Verifier } from '../../src/verify/verifier.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { type ConformanceCase, filesInPlace, wishOf } from './conformance-cases.ts';
import { conformanceCfg, groupRules, storageArea } from './conformance-storage.ts';
import { makeOddKey, publicJwk, signOddly } from './odd-tokens.ts';

/** What `tokeep can` says; `why` is its sentence. */
export interface Judgement {
  readonly kind: 'allowed' | 'refused';
  readonly why: string;
}

const issuer = 'https://issuer.example/wlcg';
const storage = 'https://storage.example:8443';
const everyone = 'https://wlcg.cern.ch/jwt/v1/any';
const key = makeOddKey('odd');

const { config } = readScitokensCfg(conformanceCfg(storage, issuer), 'scitokens.cfg');
const [section] = config.issuers;
if (section === undefined) throw new Error('the configuration of the suite names no issuer');
const area = { ...areaOf(section), groupRules };

const world = realWorld();
const verifier = new Verifier({
  trusted: [
    {
      ...{ ...strictTrust, issuer: section.issuer, audiences: config.audiences },
      keys: { kind: 'jwks', text: JSON.stringify({ keys: [publicJwk(key)] }), from: 'the suite' },
    },
  ],
  keys: new KeyCache({ world }),
  clock: world.clock,
});

/** Verifies a case's token and decides on its request, as XRootD is asked to. */
export async function judge({ token, request }: ConformanceCase): Promise<Judgement> {
  const { audiences, scope, groups } = wishOf(token, storage);
  const forWhom = { aud: audiences.length === 0 ? everyone : audiences, 'wlcg.groups': groups };
  const text = signOddly(key, { claims: { iss: issuer, sub: 'robot', scope, ...forWhom } });
  const verification = await verifier.verify(text);
  if (verification.kind === 'refused') return { kind: 'refused', why: verification.why };
  const decision = decide(verification.token, asAccess(request), area);
  return { kind: decision.kind === 'allowed' ? 'allowed' : 'refused', why: decision.why };
}

/** What a method of HTTP comes down to: writing what is there already is to modify it. */
function asAccess({ method, path }: ConformanceCase['request']): AccessRequest {
  const whole = storageArea + path;
  switch (method) {
    case 'GET':
      return { action: 'read', path: whole, target: 'file' };
    case 'PUT':
      return { action: path in filesInPlace ? 'modify' : 'create', path: whole, target: 'file' };
    case 'DELETE':
      return { action: 'modify', path: whole, target: 'file' };
    case 'MKCOL':
      return { action: 'create', path: whole, target: 'directory' };
  }
}
