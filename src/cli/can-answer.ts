import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { printable } from '../observe/printable.ts';
import { type AccessRequest, type Action, type ComputeAction, computeActions } from '../verify/access.ts';
import { everywhere } from '../verify/areas.ts';
import { type Decision, decide } from '../verify/authorize.ts';
import { type StorageDeed, storageDeeds } from '../verify/quirks-xrootd.ts';
import { areaOf } from '../verify/scitokens-cfg.ts';
import { actionOf } from '../verify/services-xrootd-denial.ts';
import type { VerifiedToken } from '../verify/verification.ts';
import { type AccessWords, accessWords } from './access-words.ts';
import type { Context } from './context.ts';
import { tokenAtHand } from './token-at-hand.ts';
import type { TokenOptions } from './token-options.ts';
import { type Trust, type TrustOptions, trustFrom } from './trust-options.ts';
import { faultOf } from './verify-answer.ts';

export type CanOptions = TokenOptions & TrustOptions;

/** `tokeep can`: yes or no, in a sentence with the rule that decides. Exit 0 or 6; 4 where the keys could not be had. */
export async function can(
  context: Context,
  given: string,
  path: string | undefined,
  options: CanOptions,
): Promise<ExitCode> {
  const words = accessWords<Word>(given, path, { command: 'can', withPath: storageDeeds, alone: computeActions });
  const trust = await trustFrom(context, options);
  const { text, from, warnings } = await tokenAtHand(context, options, 'can');
  const verification = await trust.verify(text);
  const request = requestOf(words);
  const told = [...warnings, ...trust.warnings(), ...translation(words.action, request.action)];
  if (verification.kind === 'refused') {
    const fault = faultOf(verification);
    if (!context.options.json) throw fault;
    const { code, why, hint } = verification;
    await context.printJson({
      from,
      allowed: false,
      rule: code,
      why,
      ...(hint === undefined ? {} : { hint }),
      warnings: told,
    });
    return fault.exit;
  }
  const decision = decisionOn(verification.token, request, trust);
  if (context.options.json) await context.printJson({ from, ...documentOf(decision), warnings: told });
  else await tell(context, decision, told);
  return decision.kind === 'allowed' ? exit.fine : exit.refused;
}

/** The words of the profiles, and those that people have for what they do at a storage. */
type Word = StorageDeed | ComputeAction;

function requestOf({ action: word, path }: AccessWords<Word>): AccessRequest {
  const deed = storageDeeds.find((one) => one === word);
  const action = deed === undefined ? (word as ComputeAction) : actionOf[deed];
  return { action, ...(path === undefined ? {} : { path }), ...(deed === 'mkdir' ? { target: 'directory' } : {}) };
}

const translation = (word: Word, action: Action): readonly string[] =>
  word === action ? [] : [`${word} is ${action} in the words of the profiles`];

function decisionOn(token: VerifiedToken, request: AccessRequest, { config }: Trust): Decision {
  const issuer = config?.config.issuers.find((one) => one.issuer === token.issuer);
  if (issuer?.strategies.includes('capability') === false) {
    const why = `[Issuer ${issuer.name}] does not look at scopes: capability is not in authorization_strategy`;
    return { kind: 'denied', rule: 'authorization_strategy', why };
  }
  return decide(token, request, issuer === undefined ? everywhere : areaOf(issuer));
}

const documentOf = ({ kind, ...decision }: Decision): object => ({ allowed: kind === 'allowed', ...decision });

async function tell(context: Context, decision: Decision, told: readonly string[]): Promise<void> {
  for (const warning of told) await context.warn(`tokeep: ${printable(warning)}`);
  if (decision.kind === 'denied') {
    const { why, hint } = decision;
    throw new Fault('token-refused', why, hint === undefined ? {} : { hint: printable(hint) });
  }
  await context.print(printable(decision.why));
}
