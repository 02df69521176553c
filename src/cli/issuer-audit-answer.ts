import { parseDuration } from '../config/duration.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import type { AuditEntry, AuditHead, AuditLine, AuditVerdict } from '../mint/audit.ts';
import type { OpenIssuer } from '../mint/issuer.ts';
import { counted, printable, timestamp } from '../observe/printable.ts';
import { after, type Epoch, epoch, millis } from '../token/time.ts';
import type { Context } from './context.ts';
import { type TokenQuestion, tokenStory } from './issuer-audit-token.ts';
import { withIssuer } from './issuer-place.ts';

export interface AuditOptions {
  readonly dir?: string;
  readonly jti?: string;
  readonly since?: string;
  readonly head?: readonly string[];
}

/** More than anybody reads; who exports it all gets it all. */
const everything = Number.MAX_SAFE_INTEGER;

/** `tokeep issuer audit`: is the log whole; with --jti or --since also what is in it. */
export async function audit(context: Context, options: AuditOptions): Promise<ExitCode> {
  const known = (options.head ?? []).map(headOf);
  const since = options.since === undefined ? undefined : sinceOf(options.since, context.world.clock.now());
  return await withIssuer(context, options.dir, async (issuer) => {
    const verdict = await issuer.audit.verify(known);
    const broken = verdict.kind === 'broken' ? brokenFault(issuer, verdict) : undefined;
    // Of a log that somebody worked on the lines may not even read: that it is broken is what is to be said then.
    const lines = await answerLines(context, issuer, { ...options, since, verdict }).catch((thrown) => {
      throw broken ?? thrown;
    });
    if (broken !== undefined) throw broken;
    return options.jti !== undefined && lines?.length === 0 ? exit.person : exit.fine;
  });
}

const brokenFault = ({ settings }: OpenIssuer, { chain, seq, why }: Extract<AuditVerdict, { kind: 'broken' }>): Fault =>
  new Fault('audit-broken', `the audit log of ${settings.url} is not whole: ${chain}, line ${seq}: ${why}`, {
    hint: 'keep a copy of the directory as it is, and compare with a backup and with the heads in the journal',
  });

interface Wanted {
  readonly jti?: string;
  readonly since: Epoch | undefined;
  readonly verdict: AuditVerdict;
}

/** Prints the lines that were asked for, or the heads where none were. */
async function answerLines(
  context: Context,
  issuer: OpenIssuer,
  { jti, since, verdict }: Wanted,
): Promise<readonly AuditLine[] | undefined> {
  const lines = await wantedLines(issuer, jti, since);
  if (context.options.json) {
    await context.printJson({ issuer: issuer.settings.url, ...verdict, entries: lines?.map(asJson) });
  } else if (lines !== undefined) await printLines(context, issuer, { jti, lines, log: verdict.kind });
  else if (verdict.kind === 'whole') await printHeads(context, verdict);
  return lines;
}

async function wantedLines(
  { audit: log }: OpenIssuer,
  jti: string | undefined,
  since: Epoch | undefined,
): Promise<readonly AuditLine[] | undefined> {
  if (jti === undefined && since === undefined) return undefined;
  const about = jti === undefined ? {} : { jti };
  return await log.lines({ ...about, ...(since === undefined ? {} : { since }), limit: everything });
}

async function printHeads(
  { print, say }: Context,
  { lines, heads }: { readonly lines: number; readonly heads: readonly AuditHead[] },
): Promise<void> {
  await print(`the audit log is whole: ${counted(lines, 'line')}`);
  for (const { chain, seq, hash } of heads) await print(`head ${chain}:${seq}:${hash}`);
  await say(
    'whoever keeps a head elsewhere sees later whether lines were cut off: tokeep issuer audit --head CHAIN:SEQ:HASH',
  );
}

async function printLines(
  context: Context,
  issuer: OpenIssuer,
  { jti, lines, log }: Pick<TokenQuestion, 'lines' | 'log'> & { readonly jti: string | undefined },
): Promise<void> {
  if (jti === undefined) {
    for (const { entry } of lines) await context.print(lineText(entry));
    return;
  }
  const keys = await issuer.keys({ removed: true });
  const story = tokenStory({ jti, lines, log, keys, settings: issuer.settings, now: context.world.clock.now() });
  for (const sentence of story) await context.print(sentence);
}

function lineText({ at, event, by, ...entry }: AuditEntry): string {
  const { jti, subject, audiences, scopes, expiresAt, kid, deliveredTo, requestId, reason } = entry;
  const part = (name: string, value: string | readonly string[] | undefined) =>
    value === undefined || value.length === 0 ? [] : [`${name}=${JSON.stringify([value].flat().join(' '))}`];
  return printable(
    [
      ...[timestamp(at), event, `by=${JSON.stringify(by)}`],
      ...[...part('jti', jti), ...part('sub', subject), ...part('aud', audiences), ...part('scope', scopes)],
      ...part('exp', expiresAt === undefined ? undefined : timestamp(expiresAt)),
      ...[...part('kid', kid), ...part('to', deliveredTo), ...part('request', requestId), ...part('reason', reason)],
    ].join(' '),
  );
}

function asJson({ chain, seq, hash, entry }: AuditLine): object {
  const { at, expiresAt, ...rest } = entry;
  const expires = expiresAt === undefined ? {} : { expires: timestamp(expiresAt) };
  return { chain, seq, hash, at: timestamp(at), ...rest, ...expires };
}

/** `CHAIN:SEQ:HASH`, as printed. The name of a chain may hold colons. */
function headOf(text: string): AuditHead {
  const [, chain = '', seq = '', hash = ''] = /^(.+):(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (chain !== '') return { chain, seq: Number(seq), hash };
  throw new Fault('usage', '--head is not of the form CHAIN:SEQ:HASH', { hint: 'as `tokeep issuer audit` prints it' });
}

/** A length back from now, or a point in time. */
function sinceOf(text: string, now: Epoch): Epoch {
  const length = parseDuration(text);
  if (length !== undefined) return after(now, millis(-length));
  const at = Date.parse(text);
  if (!Number.isNaN(at) && /^\d{4}-/.test(text)) return epoch(at);
  throw new Fault(
    'usage',
    `--since ${printable(text)} is neither a length such as 2d nor a time such as 2026-03-01T09:30:00Z`,
  );
}
