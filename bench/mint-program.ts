/** `mint-program.ts DIR AT-A-TIME SECONDS`: mints tokens of the issuer in a directory, some at a time; prints how many per second. */
import type { MintRequest } from '../src/mint/policy.ts';
import { openIssuerIn } from './own-issuer.ts';
import { sampleAudience } from './sample-token.ts';

const [dir = '', atATime, seconds] = process.argv.slice(2);
await using opened = await open();
const request: MintRequest = {
  subject: 'pilot-ce7',
  audiences: [sampleAudience],
  everyone: false,
  scopes: ['storage.read:/osg', 'storage.modify:/osg/output', 'compute.create'],
  groups: [],
  claims: {},
  by: 'bench',
  deliveredTo: ['stdout'],
};

async function open() {
  const issuer = await openIssuerIn(dir);
  return { issuer, [Symbol.asyncDispose]: () => issuer.close() };
}

async function mintFor(milliseconds: number): Promise<number> {
  const until = performance.now() + milliseconds;
  let minted = 0;
  const lane = async () => {
    while (performance.now() < until) {
      await opened.issuer.mint(request);
      minted += 1;
    }
  };
  await Promise.all(Array.from({ length: Number(atATime) }, lane));
  return minted;
}

await mintFor(1_000);
const begun = performance.now();
const minted = await mintFor(1000 * Number(seconds));
console.log((1000 * minted) / (performance.now() - begun));
