import { setTimeout as wait } from 'node:timers/promises';
import { type Asked, type CreddOptions, FakeCredd, type StoreAnswer } from '../peers/fake-credd.ts';
import type { AccessPoint } from './credd-contract.ts';

interface FakePlace extends CreddOptions, Pick<AccessPoint, 'local' | 'oauth2'> {
  readonly refreshTokens: readonly string[];
}

const longestWait = 10_000;

/** The fake condor_credd as an access point. */
export function fakeAccessPoint({ refreshTokens, local, oauth2, ...options }: FakePlace): AccessPoint {
  const credd = new FakeCredd({ pollEvery: 5, ...options });
  const { files } = credd;
  const unspent = [...refreshTokens];
  let users = 0;
  return {
    version: options.version,
    newUser: () => `user${++users}-${options.version === 'main' ? 'm' : 'd'}`,
    local,
    oauth2,
    newRefreshToken() {
      const token = unspent.pop();
      if (token === undefined) throw new Error('more refresh tokens are needed than the issuer gave');
      return token;
    },
    add: async (user, asked, credential) => exitOf(await credd.add(user, asked, credential)),
    query: async (user, asked) => exitOf(credd.query(user, asked)),
    remove: async (user, asked) => void credd.remove(user, asked),
    submit: (user, asked) => submit(credd, options.version, local, user, asked),
    use: (user, name, isWanted) => awaited(() => files.read(user, `${name}.use`), isWanted),
    top: async (user, name) => files.read(user, `${name}.top`),
    async sweep(user) {
      files.mark(user);
      files.sweep(0);
    },
  };
}

const exitOf = (answer: StoreAnswer): 0 | 1 | 2 =>
  answer === 'mismatch' ? 2 : typeof answer === 'number' || answer === 'ok' || answer === 'pending' ? 0 : 1;

/** condor_submit 23.9.6 stores local credentials itself, and asks for the others. */
async function submit(
  credd: FakeCredd,
  version: AccessPoint['version'],
  local: string,
  user: string,
  asked: readonly Asked[],
): Promise<string> {
  if (version === 'main') return await credd.check(user, asked);
  if (asked.some(({ service }) => service === local)) {
    const answer = await credd.addLocal(user, local);
    if (exitOf(answer) !== 0) return `ERROR: ${answer}`;
  }
  return await credd.check(
    user,
    asked.filter(({ service }) => service !== local),
  );
}

/** As the shadow does, only more often. */
async function awaited(
  look: () => string | undefined,
  isWanted: (content: string | undefined) => boolean,
): Promise<string | undefined> {
  const end = performance.now() + longestWait;
  for (;;) {
    const content = look();
    if (isWanted(content)) return content;
    if (performance.now() > end) throw new Error(`not within ten seconds; there is ${content ?? 'nothing'}`);
    await wait(10);
  }
}
