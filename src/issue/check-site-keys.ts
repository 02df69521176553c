import type { JsonValue } from '../mint/policy.ts';
import type { SigningKey } from '../mint/signing-key.ts';
import { timestamp } from '../observe/printable.ts';
import type { Epoch } from '../token/time.ts';
import { readKeySet } from '../verify/jwks.ts';
import { ok, publishAgain, type SiteFinding, warning, wrong } from './check-site-finding.ts';
import { isSameKey, kidOf, type PublishedKey } from './site-keys.ts';

/** What is wrong with a published key set: as anybody sees it, and against our own keys if there are any. */
export function checkKeySet(
  body: string,
  from: string,
  ours: readonly SigningKey[] | undefined,
  now: Epoch,
): readonly SiteFinding[] {
  const reading = readKeySet(body);
  if (reading.kind === 'refused') return [wrong(`${from} cannot be used: ${reading.why}`, publishAgain)];
  const published = (JSON.parse(body) as { readonly keys: readonly JsonValue[] }).keys.filter(isObject);
  const kids = new Set((ours ?? []).map(({ kid }) => kid));
  const findings = reading.set.remarks.map((remark) => remarkFinding(remark, kids));
  if (reading.set.keys.length === 0) findings.push(wrong(`${from} has no key that verifiers could use`, publishAgain));
  else findings.unshift(ok(`${from} has ${reading.set.keys.map(({ kid }) => kid ?? 'a key without kid').join(', ')}`));
  for (const key of ours ?? []) {
    const found = published.filter((entry) => kidOf(entry) === key.kid);
    findings.push(...keyFindings(key, found[0], now));
  }
  return findings;
}

const isObject = (value: JsonValue): value is PublishedKey =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is odd about a key of ours, or opens the door, is ours to mend; about those of others it is good to know. */
function remarkFinding(remark: string, kids: ReadonlySet<string>): SiteFinding {
  const kid = /^key "([^"]*)"/.exec(remark)?.[1];
  const leaks = remark.includes('private half');
  if (leaks) {
    return wrong(`the published ${remark}`, {
      turn: 'issuer',
      hint: 'sign with another key at once: tokeep issuer rotate --now --reason TEXT; then publish',
    });
  }
  return kid !== undefined && kids.has(kid)
    ? wrong(`the published ${remark}`, publishAgain)
    : warning(`the published ${remark}`, { turn: 'issuer', hint: 'whoever has that key publishes it anew' });
}

function keyFindings(key: SigningKey, found: PublishedKey | undefined, now: Epoch): readonly SiteFinding[] {
  const { kid, state } = key;
  if (found !== undefined && !isSameKey(found, key.jwk)) {
    const words = `under the kid ${kid} another key is published than the one here: tokens of one of them are refused`;
    return [wrong(words, { turn: 'issuer', hint: 'give one of them another kid, and publish both' })];
  }
  if (found !== undefined) {
    if (state !== 'removed') return [];
    return [wrong(`the key ${kid} was removed, and is published still: what it signed is accepted`, publishAgain)];
  }
  switch (state) {
    case 'signing':
      return [wrong(`the key ${kid} signs, and is not published: services refuse every token it signed`, publishAgain)];
    case 'next':
      return [warning(`the key ${kid} is to sign next, and is not published yet`, publishAgain)];
    case 'retired':
      if (key.lastExpiry === undefined || key.lastExpiry <= now) return [];
      return [
        wrong(
          `the key ${kid} is not published any more, and tokens that it signed are good until ${timestamp(key.lastExpiry)}`,
          publishAgain,
        ),
      ];
    case 'removed':
      return [];
  }
}
