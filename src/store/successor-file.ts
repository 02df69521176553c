import { createHash } from 'node:crypto';
import type { AccountName } from '../token/names.ts';
import type { Credential } from '../token/secret.ts';
import { parse } from './rows.ts';
import type { Sealer } from './sealer.ts';

/** A successor as it lies in its file: one line of JSON, and one with its SHA-256, so that a torn file is told (scenario 13). */
interface SuccessorLine {
  readonly format: 1;
  readonly account: AccountName;
  readonly kind: Credential['kind'];
  readonly generation: number;
  readonly sealed: string;
}

/** Refuses to read more; a file of ours is far below. */
export const largestSuccessorFile = 4 * 1024 * 1024;

const digest = (line: string): string => createHash('sha256').update(line).digest('hex');

const binding = (account: AccountName, generation: number) => ({ record: `successor ${account}`, generation });

export function writeSuccessor(
  sealer: Sealer,
  account: AccountName,
  successor: Credential,
  generation: number,
): Buffer {
  const sealed = sealer.seal(successor, binding(account, generation));
  const content: SuccessorLine = { format: 1, account, kind: successor.kind, generation, sealed };
  const line = JSON.stringify(content);
  return Buffer.from(`${line}\n${digest(line)}\n`);
}

/** The whole content, or undefined when the file is torn, damaged or somebody else's. */
export function readSuccessorLine(bytes: Buffer | undefined, account: AccountName): SuccessorLine | undefined {
  const [line, sum] = bytes?.toString('utf8').split('\n') ?? [];
  if (line === undefined || sum !== digest(line)) return undefined;
  const content = parse<SuccessorLine>(line);
  return content?.format === 1 && content.account === account ? content : undefined;
}

/** Throws Fault `seal-wrong-key` or `seal-damaged`. */
export function openSuccessor(sealer: Sealer, { account, kind, generation, sealed }: SuccessorLine): Credential {
  return sealer.open(kind, sealed, binding(account, generation)) as Credential;
}
