import { normalize } from 'node:path/posix';
import type { AccountName, WishName } from '../token/names.ts';
import { seconds } from '../token/time.ts';
import type { FileTarget, HtcondorTarget, Position, ScopeWish, Target, Wish } from './config.ts';
import { wishFingerprint } from './fingerprint.ts';
import { unfitName } from './names.ts';
import type { TargetInput, TokenInput } from './schema-tokens.ts';
import { audienceOf, scopeOf } from './word-list.ts';

const commandTimeout = seconds(30);
const defaultMode = 0o600;

/** From a section that fits the schema to a wish; `complain` gets the key and what is wrong with it. */
export function wishOf(
  name: string,
  at: Position,
  input: TokenInput,
  complain: (path: readonly PropertyKey[], message: string) => void,
): Wish {
  const unfit = unfitName(name);
  if (unfit !== undefined) complain([], `the name ${JSON.stringify(name)} ${unfit}`);
  const scope = scopeOf(input.scope);
  const bad = unfitScope(scope);
  if (bad !== undefined) complain(['scope'], bad);
  const targets = (input.deliver ?? []).map(targetOf);
  for (const [index, target] of targets.entries()) {
    const twice = targets.findIndex((other) => other.id === target.id) < index;
    if (twice) complain(['deliver', index], 'is the same target as one before it');
  }
  const asked = {
    account: input.account as AccountName,
    audience: audienceOf(input.audience),
    scope,
    ...(input.lifetime === undefined ? {} : { lifetime: input.lifetime }),
    ...(input.subject === undefined ? {} : { subject: input.subject }),
  };
  return {
    name: name as WishName,
    at,
    ...asked,
    ...(input.min_lifetime === undefined ? {} : { minLifetime: input.min_lifetime }),
    freshness: input.renew ?? 'due-point',
    targets,
    fingerprint: wishFingerprint(asked),
  };
}

/** RFC 6749 section 3.3: a scope-token is printable ASCII without blanks, quotes and backslashes. */
export function unfitScope(scope: ScopeWish): string | undefined {
  if (scope.kind !== 'scopes') return undefined;
  const bad = scope.scopes.find((one) => !/^[\x21\x23-\x5b\x5d-\x7e]+$/.test(one));
  return bad === undefined ? undefined : `holds ${JSON.stringify(bad)}, which is not one scope (RFC 6749 section 3.3)`;
}

function targetOf(input: TargetInput): Target {
  if ('file' in input) {
    const keep = { existing: input.existing ?? 'set', inPlace: input.in_place ?? false } as const;
    return fileTarget(input.file, { ...keep, mode: input.mode ?? defaultMode, owner: input.owner, group: input.group });
  }
  if ('discovery' in input) {
    const { discovery: user, purpose } = input;
    const id = purpose === undefined ? `discovery:${user}` : `discovery:${user}:${purpose}`;
    return { kind: 'discovery', id, user, ...(purpose === undefined ? {} : { purpose }) };
  }
  if ('htcondor' in input) return htcondorTarget(input);
  const { exec, hands = 'stdin', timeout = commandTimeout } = input;
  return { kind: 'exec', id: `exec:${exec.map(asWord).join(' ')}`, argv: exec, hands, timeout };
}

function htcondorTarget(input: Extract<TargetInput, { readonly htcondor: string }>): HtcondorTarget {
  const { htcondor: user, service, handle, program, credd, condor_config: condorConfig } = input;
  // `*` stands between service and handle in a job's list, too, and can be in neither.
  const name = handle === undefined ? service : `${service}*${handle}`;
  // condor_credd keeps users apart by the part before the @ alone.
  const place = [user.split('@')[0], name, credd, condorConfig].filter((part) => part !== undefined);
  return {
    kind: 'htcondor',
    id: `htcondor:${place.join(':')}`,
    user,
    service,
    ...(handle === undefined ? {} : { handle }),
    ...(program === undefined ? {} : { program }),
    ...(credd === undefined ? {} : { credd }),
    ...(condorConfig === undefined ? {} : { condorConfig }),
    timeout: input.timeout ?? commandTimeout,
  };
}

/** So that `[a, "b c"]` and `[a, b, c]` are two targets. */
const asWord = (part: string): string => (/\s/.test(part) ? JSON.stringify(part) : part);

interface FileOptions {
  readonly existing: FileTarget['existing'];
  readonly inPlace: boolean;
  readonly mode?: number;
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
}

/** A file target; a path is compared by its text after `.`, `..` and double slashes are gone. */
export function fileTarget(path: string, options: FileOptions): FileTarget {
  const clean = normalize(path);
  const { existing, inPlace, mode = defaultMode, owner, group } = options;
  return {
    kind: 'file',
    id: `file:${clean}`,
    path: clean,
    ...(owner === undefined ? {} : { owner }),
    ...(group === undefined ? {} : { group }),
    mode,
    existing,
    inPlace,
  };
}
