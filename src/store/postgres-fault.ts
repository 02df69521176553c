import { Fault } from '../fault/fault.ts';
import { networkReason, tlsReason } from '../world/connection-fault.ts';

/** Somebody else was in the way, and doing it again is right: serialization failure and deadlock. */
const again = new Set(['40001', '40P01']);

/** Out of connections, starting up or shutting down. */
const busy = new Set(['53300', '57P01', '57P02', '57P03']);

interface Reason {
  readonly why: string;
  readonly hint?: string;
}

const refusals: Readonly<Record<string, Reason>> = {
  '28000': { why: 'it does not let us in' },
  '28P01': { why: 'it does not let us in: the password is wrong, or the role is not known' },
  '3D000': { why: 'there is no such database' },
  '42501': {
    why: 'the role that we connect as has no right to do this',
    hint: 'do it as the owner of the tables, or let the owner grant it',
  },
};

/** What the driver says without a code; none of it quotes what was sent. */
const driverWords: readonly (readonly [RegExp, Reason])[] = [
  [
    /\bSSL\b/,
    {
      why: 'it does not speak TLS, and without that only this machine is reached',
      hint: 'set ssl = on in its postgresql.conf, or use a Unix socket or loopback',
    },
  ],
  [/timeout/i, { why: 'it did not answer in time' }],
  [/terminated|connection error/i, { why: 'the connection was cut off' }],
];

const codeOf = (thrown: unknown): string => (thrown as NodeJS.ErrnoException | undefined)?.code ?? '';

/** Is it right to do the same again at once? */
export const isWorthAnotherTry = (thrown: unknown): boolean => again.has(codeOf(thrown));

/** What the driver threw as a Fault whose sentence says what was found; what is no error of its is left as it is. */
export function postgresFault(thrown: unknown, where: string): unknown {
  if (thrown instanceof Fault || !(thrown instanceof Error)) return thrown;
  const code = codeOf(thrown);
  if (busy.has(code)) return new Fault('state-busy', `${where} takes no more work (${code})`, { cause: thrown });
  if (again.has(code)) return new Fault('state-conflict', `${where}: others kept changing it`, { cause: thrown });
  const reason = reasonOf(code, thrown);
  const why = reason === undefined ? '' : `: ${reason.why}`;
  return new Fault('state-write-failed', `${where} could not be read or written${why}${told(code, reason, thrown)}`, {
    ...(reason?.hint === undefined ? {} : { hint: reason.hint }),
    cause: thrown,
  });
}

function reasonOf(code: string, thrown: Error): Reason | undefined {
  const tls = tlsReason(code);
  if (tls !== undefined) {
    return { why: `no TLS connection, since ${tls}`, hint: 'the CA of the database is named with ca_file' };
  }
  const network = networkReason(code, thrown);
  if (network !== undefined) return { why: network };
  return refusals[code] ?? (code === '' ? driverWords.find(([words]) => words.test(thrown.message))?.[1] : undefined);
}

const told = (code: string, reason: Reason | undefined, thrown: Error): string => {
  if (code !== '') return ` (${code})`;
  return reason === undefined ? ` (${thrown.name})` : '';
};
