import { type ExitCode, exit, worstExit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import type { TestResult } from '../observe/notifier.ts';
import type { Context } from './context.ts';
import { notifierFor } from './tell-people.ts';

/** `tokeep notify test`. */
export async function sendTest(context: Context, names: readonly string[]): Promise<ExitCode> {
  const config = await context.config();
  const rules = names.length === 0 ? config.notify : config.notify.filter(({ name }) => names.includes(name));
  const missing = names.find((name) => !config.notify.some((rule) => rule.name === name));
  if (missing !== undefined) throw new Fault('usage', `there is no channel ${missing} under notify: in ${config.file}`);
  if (rules.length === 0) {
    throw new Fault('usage', `${config.file} has no notify: section, so there is nobody to tell`, {
      hint: 'docs/config.md shows one for mail, webhooks and commands',
    });
  }
  const results = await notifierFor(context.world, { ...config, notify: rules }, context.log).test();
  if (context.options.json) await context.printJson(results.map(asJson));
  else await tell(context, results);
  return results.length === 0 ? exit.fine : worstExit(results.map(({ fault }) => fault?.exit ?? exit.fine));
}

function asJson({ rule, fault }: TestResult) {
  if (fault === undefined) return { channel: rule, sent: true };
  const { code, message, hint } = fault;
  return { channel: rule, sent: false, code, message, ...(hint === undefined ? {} : { hint }) };
}

async function tell(context: Context, results: readonly TestResult[]): Promise<void> {
  for (const { rule, fault } of results) {
    await context.print(fault === undefined ? `${rule}: sent` : `${rule}: ${fault.message}`);
    if (fault?.hint !== undefined) await context.say(`  ${fault.hint}`);
  }
}
