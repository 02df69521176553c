/** `verify-program.ts ISSUER JWKS-FILE TOKENS-FILE SECONDS`: verifies tokens, one a line, in turn again and again; prints how many per second. */
import { readFileSync } from 'node:fs';
import { KeyCache } from '../src/verify/key-cache.ts';
import { strictTrust } from '../src/verify/trust.ts';
import { Verifier } from '../src/verify/verifier.ts';
import { realWorld } from '../src/world/real-world.ts';
import { rateOf } from './rate.ts';
import { sampleAudience } from './sample-token.ts';

const [issuer = '', keySetFile = '', tokensFile = '', seconds] = process.argv.slice(2);
const world = realWorld();
const keys = { kind: 'jwks', text: readFileSync(keySetFile, 'utf8'), from: keySetFile } as const;
const verifier = new Verifier({
  trusted: [{ ...strictTrust, issuer, keys, audiences: [sampleAudience] }],
  keys: new KeyCache({ world }),
  clock: world.clock,
});
const tokens = readFileSync(tokensFile, 'utf8').trimEnd().split('\n');
let next = 0;

function verifyOne(): void {
  const answer = verifier.verifyNow(tokens[next++ % tokens.length] ?? '');
  if (answer.kind !== 'valid') throw new Error(`a token was not found good: ${JSON.stringify(answer)}`);
}

console.log(rateOf(verifyOne, Number(seconds)));
