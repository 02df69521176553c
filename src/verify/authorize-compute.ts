import { type ParsedScope, printScope } from '../token/capability.ts';
import type { Bearer, ComputeAction, Decision } from './access.ts';
import { denied } from './denial.ts';

/**
 * The scopes of computing have no path. `condor:/READ` is compute.read in HTCondor's words, and `condor:/WRITE` the three others
 * together (OSG, "Collaborations and Bearer Tokens", Scope); it counts in every profile.
 */
export function decideCompute(token: Bearer, scopes: readonly ParsedScope[], action: ComputeAction): Decision {
  const level = action === 'compute.read' ? 'condor:/READ' : 'condor:/WRITE';
  const words = token.profile === 'wlcg' ? [action, level] : [level];
  const rule = words.find((word) => scopes.some((scope) => printScope(scope) === word));
  if (rule !== undefined) {
    const of = rule === action ? '' : `, which is ${rule} in the words of HTCondor`;
    return { kind: 'allowed', rule, why: `the token has ${action}${of}` };
  }
  return missedCompute(token, scopes, action, level);
}

function missedCompute(token: Bearer, scopes: readonly ParsedScope[], action: ComputeAction, level: string): Decision {
  if (scopes.some((scope) => scope.text === action)) {
    const why = `${action} is a word of WLCG, and this is no WLCG token: it has no wlcg.ver`;
    return denied(action, why, { hint: `ask for ${level}, or for a token of the WLCG profile` });
  }
  const compute = scopes.filter(({ kind }) => kind === 'compute' || kind === 'condor').map(({ text }) => text);
  const has = compute.length === 0 ? 'it has no scope for computing' : `it has ${compute.join(' ')} only`;
  const word = token.profile === 'wlcg' ? action : level;
  return denied(compute.length === 0 ? 'no scope' : 'scope', `the token does not allow ${action}: ${has}`, {
    hint: `ask for ${word}`,
  });
}
