import type { SecretRef } from '../config/config.ts';
import { formatDuration } from '../config/duration.ts';
import type { HtcondorClaims, IssuerSettings } from './issuer.ts';

/** What a new issuer.yaml says. */
export type NewSettings = Omit<IssuerSettings, 'rotation' | 'audit'> &
  Partial<Pick<IssuerSettings, 'rotation' | 'audit'>>;

const usualHead = [
  '# An issuer of tokens. Changes hold within a second, also for programs that are running.',
  '# Whoever can write here decides what is signed: the directory keeps others out (mode 0700), whatever the mode of this file.',
];

/** A new issuer.yaml, with a word on each key; `readSettings` reads the same settings out of it. `head`: other comments to begin with. */
export function settingsText(settings: NewSettings, head: readonly string[] = usualHead): string {
  const { url, profile, policy, keys } = settings;
  const lines = [
    ...head,
    '',
    '# Exactly as it stands in "iss"; verifiers compare it as text, and find the keys below it.',
    `issuer: ${quoted(url)}`,
    '# By whose rules tokens are made: wlcg, scitokens (version 2) or at+jwt (RFC 9068).',
    `profile: ${profile}`,
    '',
    '# What may be signed, whoever asks. What is not named here is refused. "*" stands for any text without a blank.',
    'policy:',
    '  # A scope allows everything below its path: storage.read:/data allows storage.read:/data/run1.',
    list('scopes', policy.scopes, 'storage.read:/data'),
    '  # In an audience "*" does not reach over a slash: https://*.example.org is any host there, and no path. "*" alone is any service.',
    list('audiences', policy.audiences, 'https://storage.example.org'),
    '  # May a token be made that every service accepts? It has to be asked for each time, too.',
    `  everyone: ${policy.everyone}`,
    list('subjects', policy.subjects, 'pilot-*'),
    list('groups', policy.groups, '/example/production'),
    '  # Names of further claims that may be set.',
    list('claims', policy.claims, 'email'),
    '  # Longer wishes are cut. The WLCG profile has 6h as the most.',
    `  lifetime: { usual: ${formatDuration(policy.lifetime.usual)}, most: ${formatDuration(policy.lifetime.most)} }`,
    '  # Subjects that get nothing more, and users that get nothing more under a random one. Here "*" stands for blanks, too.',
    list('suspend', policy.suspended, 'pilot-ce7'),
    '',
    '# Where new private keys go: "sealed" into issuer.db, or "file" for keys/KID.pem that only its owner can read.',
    `keys: ${keys}`,
    ...optional(settings),
  ];
  return `${lines.join('\n')}\n`;
}

/** What stands at its default is shown as a comment. */
function optional({ audit, rotation, store, htcondor }: NewSettings): readonly string[] {
  const times = (['ahead', 'behind', 'life'] as const).map(
    (name) => rotation && `${name}: ${formatDuration(rotation[name])}`,
  );
  const lines = [
    '',
    '# How subjects stand in the audit log: plain, or hashed with a key of this issuer.',
    audit === undefined ? '# audit: { subjects: hashed }' : `audit: { subjects: ${audit.subjects} }`,
    '# How long a key is published before it signs and after its last token has ended, and how long it signs.',
    rotation === undefined ? '# rotation: { ahead: 2d, behind: 1h, life: 182d }' : `rotation: { ${times.join(', ')} }`,
  ];
  if (htcondor !== undefined) lines.push(...htcondorLines(htcondor));
  if (store.kind === 'sqlite') return lines;
  const caFile = store.caFile === undefined ? [] : [`    ca_file: ${quoted(store.caFile)}`];
  return [...lines, '', 'store:', '  postgres:', `    url: ${reference(store.url)}`, ...caFile];
}

const htcondorLines = ({ ver }: HtcondorClaims): readonly string[] => [
  '',
  '# Claims as HTCondor\'s local issuer writes them. "audiences" above are then no patterns, and may be none.',
  `htcondor: ${ver === undefined ? '{}' : `{ ver: ${quoted(ver)} }`}`,
];

function list(name: string, texts: readonly string[], example: string): string {
  if (texts.length === 0) return `  ${name}: [] # such as [${quoted(example)}]`;
  return [`  ${name}:`, ...texts.map((text) => `    - ${quoted(text)}`)].join('\n');
}

/** Every JSON text is one of YAML. */
const quoted = (text: string): string => JSON.stringify(text);

function reference(ref: SecretRef): string {
  switch (ref.kind) {
    case 'file':
      return `{ file: ${quoted(ref.path)} }`;
    case 'credential':
      return `{ credential: ${quoted(ref.name)} }`;
    case 'command':
      return `{ command: ${JSON.stringify(ref.argv)} }`;
    case 'inline':
      return '{ file: /path/of/a/file/with/the/url }';
  }
}
