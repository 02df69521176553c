import { createHash } from 'node:crypto';
import type { SigningKey } from '../mint/signing-key.ts';
import { timestamp } from '../observe/printable.ts';
import type { IssuerUrl } from '../token/names.ts';
import type { Epoch } from '../token/time.ts';
import { htmlText as text } from '../world/html-text.ts';
import { jwksUri, withoutSlash } from './site.ts';
import { kidOf, type MergedKeys, type PublishedKey } from './site-keys.ts';
import { trustSnippet } from './trust-snippets.ts';

const generator = '<meta name="generator" content="tokeep">';

/** A page that somebody else wrote is never written over. */
export const isOurPage = (html: string): boolean => html.includes(generator);

/** Readable at the width of a telephone, in light and dark; nothing is loaded from anywhere. */
const style = `
:root { color-scheme: light dark; --line: #8885; --soft: #8881; --quiet: light-dark(#555, #aaa); }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 3rem; max-width: 46rem; font: 1rem/1.55 system-ui, sans-serif; }
h1 { margin: 0 0 .25rem; font-size: 1.5rem; line-height: 1.25; }
h2 { margin: 2.25rem 0 .5rem; font-size: 1.125rem; }
p { margin: .5rem 0; }
code, pre { font: .9em/1.5 ui-monospace, monospace; }
code { overflow-wrap: anywhere; }
pre { margin: .5rem 0 1rem; padding: .75rem 1rem; white-space: pre-wrap; background: var(--soft); border-radius: .4rem; }
pre code { font-size: 1em; }
.name { padding: .6rem 1rem; background: var(--soft); border-radius: .4rem; font-size: 1.05rem; }
.quiet { color: var(--quiet); }
ul { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
li { padding: .6rem 0; border-bottom: 1px solid var(--line); }
li b { display: block; font-weight: 600; }
time { white-space: nowrap; }
`;

/**
 * The page for people: what the issuer is called, its keys, and how a service comes to accept its tokens. Holds no time of
 * its own making, so that it changes only when a key does.
 */
export function indexPage(url: IssuerUrl, ours: readonly SigningKey[], { keys }: MergedKeys): string {
  const own = new Map(ours.map((key) => [key.kid, key]));
  const digest = createHash('sha256').update(style).digest('base64');
  const base = withoutSlash(url);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${digest}'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
${generator}
<title>Token issuer ${text(base)}</title>
<style>${style}</style>
</head>
<body>
<h1>Token issuer</h1>
<p class="name"><code>${text(url)}</code></p>
<p>Tokens that are signed here name their issuer (<code>iss</code>) exactly so; ${slashWords(url)}.
Services find the keys by themselves: <a href="${text(base)}/.well-known/openid-configuration">metadata</a>,
<a href="${text(jwksUri(url))}">keys</a>.</p>

<h2>Keys</h2>
<ul>
${inOrder(keys, own)
  .map((key) => keyItem(key, own.get(kidOf(key))))
  .join('\n')}
</ul>
<p class="quiet">A new key is published days before it signs, and an old one stays until the last token it signed has ended. There is
nothing to do for a service when keys change.</p>

<h2>To accept its tokens</h2>
<p>With your own <code>account</code>, <code>/directory</code> and <code>https://storage.example</code>:</p>
${snippets(url)}
<p>To see what a token says and whether its signature is good:</p>
<pre><code>tokeep verify --issuer ${text(url)} --audience AUDIENCE --token-file FILE</code></pre>
</body>
</html>
`;
}

const slashWords = (url: string): string =>
  url.endsWith('/') ? 'the slash at its end is part of the name' : 'there is no slash at its end';

/** What signs comes first; those of others last. */
function inOrder(keys: readonly PublishedKey[], own: ReadonlyMap<string, SigningKey>): readonly PublishedKey[] {
  const states: readonly (SigningKey['state'] | undefined)[] = ['signing', 'next', 'retired'];
  const place = (key: PublishedKey) =>
    (states.indexOf(own.get(kidOf(key))?.state) + states.length + 1) % (states.length + 1);
  return keys.toSorted((one, other) => place(one) - place(other));
}

function keyItem(key: PublishedKey, own: SigningKey | undefined): string {
  const { kty, crv, alg } = key;
  const kind = typeof alg === 'string' ? alg : [kty, crv].filter((part) => typeof part === 'string').join(' ');
  return `<li><b><code>${text(kidOf(key) || '(without a key id)')}</code></b> ${text(kind)} · ${storyOf(own)}</li>`;
}

/** As markup, all of it ours. */
function storyOf(key: SigningKey | undefined): string {
  if (key === undefined) return 'of another access point of this issuer';
  switch (key.state) {
    case 'signing':
      return `signs${since(key.signsSince ?? key.createdAt)}`;
    case 'next':
      return `will sign next; made on ${day(key.createdAt)}`;
    case 'retired':
      return `signs no more${since(key.retiredAt)}; its tokens are good until they end`;
    case 'removed':
      return 'of no use any more';
  }
}

const day = (at: Epoch): string => `<time>${timestamp(at).slice(0, 10)}</time>`;
const since = (at: Epoch | undefined): string => (at === undefined ? '' : ` since ${day(at)}`);

const programs = { 'htcondor-ce': 'HTCondor-CE', xrootd: 'XRootD' } as const;

/** As `tokeep issuer trust` prints them, with names for the site to replace. */
function snippets(url: string): string {
  const place = { issuer: url, user: 'account', basePath: '/directory' };
  const ce = trustSnippet('htcondor-ce', place);
  const xrootd = trustSnippet('xrootd', { ...place, audience: 'https://storage.example' });
  return [ce, xrootd]
    .flatMap(({ service, parts }) =>
      parts.map(
        ({ file, text: lines }) =>
          `<p>${programs[service]}, in <code>${text(file)}</code>:</p>\n<pre><code>${text(lines.trimEnd())}</code></pre>`,
      ),
    )
    .join('\n');
}
