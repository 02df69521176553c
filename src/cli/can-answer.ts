import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { printable } from '../observe/printable.ts';
import { type Action, computeActions, storageActions } from '../verify/access.ts';
import { everywhere } from '../verify/areas.ts';
import { type Decision, decide } from '../verify/authorize.ts';
import { areaOf } from '../verify/scitokens-cfg.ts';
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
  const words = accessWords<Action>(given, path, { command: 'can', withPath: storageActions, alone: computeActions });
  const trust = await trustFrom(context, options);
  const { text, from, warnings } = await tokenAtHand(context, options, 'can');
  const verification = await trust.verify(text);
  const told = [...warnings, ...trust.warnings()];
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
  const decision = decisionOn(verification.token, words, trust);
  if (context.options.json) await context.printJson({ from, ...documentOf(decision), warnings: told });
  else await tell(context, decision, told);
  return decision.kind === 'allowed' ? exit.fine : exit.refused;
}

function decisionOn(token: VerifiedToken, { action, path }: AccessWords<Action>, { config }: Trust): Decision {
  const request = path === undefined ? { action } : { action, path };
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
