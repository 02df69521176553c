import type { Account } from '../config/config.ts';
import type { AccountRecord, IssuerRecord } from '../store/records.ts';
import { millis, minutes } from '../token/time.ts';
import { ofTrouble } from './account-conditions.ts';
import type { Condition } from './condition.ts';
import { hintFor } from './next-step.ts';
import { span } from './printable.ts';

/** Beyond this our tokens look expired, or not yet valid, to others. */
const toleratedSkew = minutes(1);

/** Every name under which the issuer of an account may stand in the records: its URL, or the origin that is asked. */
export function issuerNames(account: Account, record: AccountRecord | undefined): readonly string[] {
  const named: string[] = [];
  if (account.issuer.kind === 'discovered') named.push(account.issuer.issuer);
  if (account.issuer.kind === 'token-endpoint') named.push(account.issuer.url);
  // Its issuer may call itself by the same name with, or without, a slash at the end.
  if (record?.client)
    named.push(record.client.issuer, record.client.issuer.replace(/\/$/, ''), `${record.client.issuer}/`);
  if (account.grant === 'mytoken' || account.grant === 'vault') named.push(account.server);
  const places = named.flatMap((name) => (URL.canParse(name) ? [name, new URL(name).origin] : [name]));
  const socket = account.grant === 'oidc_agent' ? [`oidc-agent:${account.socket ?? ''}`] : [];
  return [...places, ...socket, `account:${account.name}`];
}

export const downKey = (issuer: string): string => `issuer:${issuer}:down`;

/** What is wrong with one issuer. `expired` is how many tokens of it have run out. */
export function issuerConditions(record: IssuerRecord, expired: number): readonly Condition[] {
  const found: Condition[] = [];
  const subject = { kind: 'issuer', name: record.issuer } as const;
  const { circuit, trouble } = record;
  if (circuit.kind === 'open' || trouble !== null) {
    const told =
      trouble === null
        ? {
            code: 'issuer-unreachable' as const,
            who: 'wait' as const,
            sentence: `issuer ${record.issuer} does not answer`,
            since: circuit.kind === 'open' ? circuit.since : null,
          }
        : ofTrouble(trouble, hintFor(trouble.code, undefined, record.issuer));
    found.push({
      nextTry: record.notBefore,
      ...told,
      key: downKey(record.issuer),
      subject,
      severity: expired > 0 ? 'critical' : 'warning',
      ...(circuit.kind === 'open' ? { nextTry: circuit.probeAt } : {}),
      stage: expired > 0 ? 'tokens-expired' : 'down',
    });
  }
  const skew = record.skew ?? 0;
  if (Math.abs(skew) > toleratedSkew) {
    const size = span(millis(Math.abs(skew)));
    found.push({
      key: `issuer:${record.issuer}:clock-skew`,
      subject,
      code: 'clock-skew',
      severity: 'warning',
      who: 'operator',
      sentence: `our clock is ${size} ${skew > 0 ? 'ahead of' : 'behind'} that of issuer ${record.issuer}`,
      hint: "check this machine's clock: timedatectl status",
      since: null,
      nextTry: null,
      stage: 'skewed',
    });
  }
  return found;
}
