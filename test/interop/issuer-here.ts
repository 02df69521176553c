import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openIssuer } from '../../src/mint/open-issuer.ts';
import { realWorld } from '../../src/world/real-world.ts';
import { type OddKey, oddKey } from './odd-tokens.ts';
import { type StaticSite, startStaticSite } from './static-site.ts';
import type { Surroundings } from './surroundings.ts';
import { tokeep } from './tokeep.ts';

/** What a token of the subject `robot` is to say. It lives for an hour. */
export interface TokenWish {
  /** None: a token that every service accepts. */
  readonly audiences: readonly string[];
  readonly scope: string;
  readonly groups?: readonly string[];
}

/** An issuer of ours, made and run by the commands, and the web site that shows what it published. */
export interface IssuerHere extends AsyncDisposable {
  readonly url: string;
  readonly site: StaticSite;
  /** By `tokeep issuer sign`, in a process of its own. */
  sign(wish: TokenWish): Promise<string>;
  /** Likewise, into a file. */
  signTo(file: string, wish: TokenWish): Promise<void>;
  /** As that command does it, for many tokens at once. */
  mint(wishes: readonly TokenWish[]): Promise<readonly string[]>;
  publish(): Promise<void>;
  /** One step of next, signing, retired, removed, without waiting for its time. */
  rotate(): Promise<void>;
  /** Takes over a private key in a file, next to sign under that name. */
  importKey(file: string, kid: string): Promise<void>;
  /** The key that signs. */
  signingKey(): Promise<OddKey>;
}

export async function startIssuer(told: Pick<Surroundings, 'directory' | 'certFile' | 'keyFile'>): Promise<IssuerHere> {
  await using made = new AsyncDisposableStack();
  const home = await mkdtemp(join(told.directory, 'issuer-'));
  made.defer(() => rm(home, { recursive: true, force: true }));
  const [directory, published] = [join(home, 'issuer'), join(home, 'www')];
  await mkdir(published);
  const site = made.use(await startStaticSite(published, told));
  const url = `${site.url}/vo`;
  const issuer = (verb: string, ...args: readonly string[]) => tokeep('issuer', verb, '--dir', directory, ...args);
  await issuer('init', '--issuer', url, '--keys', 'file', ...maySign);
  await allowEveryone(join(directory, 'issuer.yaml'));
  // From here on it is the caller's to end.
  const all = made.move();
  const sign = async (wish: TokenWish) => (await issuer('sign', ...asOptions(wish))).trim();
  return {
    url,
    site,
    sign,
    signTo: async (file, wish) => void (await issuer('sign', ...asOptions(wish), '--output', file)),
    mint: (wishes) => mintAll(directory, wishes),
    publish: async () => void (await issuer('publish', published)),
    rotate: async () => void (await issuer('rotate', '--now', '--reason', 'a test')),
    importKey: async (file, kid) => void (await issuer('import', '--key', file, '--kid', kid)),
    async signingKey() {
      const token = await sign({ audiences: ['https://nobody.example'], scope: 'storage.read:/' });
      const { kid } = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string };
      return oddKey(kid, await readFile(join(directory, 'keys', `${kid}.pem`), 'utf8'));
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The policy: what the tests need, and the suite's groups. */
const maySign = [
  ...['--subject', 'robot', '--audience', '*', '--group', '/wlcg', '--group', '/wlcg/*'],
  ...['--scope', 'openid storage.read:/ storage.create:/ storage.modify:/ wlcg.groups wlcg.groups:*'],
  ...['--scope', 'compute.read compute.create compute.modify compute.cancel'],
];

/** Tokens for every service are not to be had by an option: somebody has to write it into the settings. */
async function allowEveryone(settings: string): Promise<void> {
  const text = await readFile(settings, 'utf8');
  await writeFile(settings, text.replace('everyone: false', 'everyone: true'));
}

function asOptions({ audiences, scope, groups = [] }: TokenWish): readonly string[] {
  const forWhom = audiences.length === 0 ? ['--everyone'] : audiences.flatMap((one) => ['--audience', one]);
  return [
    '--subject',
    'robot',
    ...forWhom,
    '--scope',
    scope,
    ...groups.flatMap((group) => ['--group', group]),
    '--lifetime',
    '1h',
  ];
}

async function mintAll(directory: string, wishes: readonly TokenWish[]): Promise<readonly string[]> {
  const sealer = () => Promise.reject(new Error('nothing is sealed here'));
  const issuer = await openIssuer(realWorld(), directory, { sealer, chain: 'local' });
  try {
    const tokens: string[] = [];
    for (const { audiences, scope, groups = [] } of wishes) {
      const { token } = await issuer.mint({
        ...{ subject: 'robot', audiences, everyone: audiences.length === 0, scopes: scope.split(' '), groups },
        ...{ claims: {}, by: 'a test', deliveredTo: ['a test'] },
      });
      tokens.push(token.reveal());
    }
    return tokens;
  } finally {
    await issuer.close();
  }
}
