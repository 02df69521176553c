import { type Pin, PinTable } from '../condor/web/pin-table.ts';
import { type ExitCode, exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';
import { printable, timestamp } from '../observe/printable.ts';
import type { Context } from './context.ts';
import type { WebPlaces } from './credmon-web-settings.ts';
import { withWebDatabase } from './with-web-database.ts';

export type LoginsOptions = WebPlaces;

/** `tokeep credmon logins list`. */
export async function listLogins(context: Context, options: LoginsOptions): Promise<ExitCode> {
  return await withPins(context, options, async (pins) => {
    const all = await pins.all();
    if (context.options.json) {
      await context.printJson(all.map(jsonOf));
      return exit.fine;
    }
    for (const pin of all) {
      await context.print(lineOf(pin));
      if (pin.refused !== undefined) {
        const { subject, issuer, at } = pin.refused;
        await context.print(`    refused ${timestamp(at)}: ${printable(subject)} of ${printable(issuer)}`);
      }
    }
    if (all.length === 0) await context.say('nobody has logged in yet');
    return exit.fine;
  });
}

/** Whose login for which service; `subject` only where it is to be that one and no other. */
export interface LoginToAllow {
  readonly user: string;
  readonly service: string;
  readonly subject: string | undefined;
}

/** `tokeep credmon logins allow USER SERVICE [SUBJECT]`. */
export async function allowLogin(context: Context, login: LoginToAllow, options: LoginsOptions): Promise<ExitCode> {
  const { user, service, subject } = login;
  return await withPins(context, options, async (pins) => {
    const pin = await pins.allow(user, service, subject);
    if (pin === undefined) throw await nobodyToAllow(pins, user, service);
    await context.say(
      `from now on ${user} logs in for ${service} as ${printable(pin.subject)} of ${printable(pin.issuer)}`,
    );
    return exit.fine;
  });
}

/** `tokeep credmon logins forget USER SERVICE`. */
export async function forgetLogin(
  context: Context,
  user: string,
  service: string,
  options: LoginsOptions,
): Promise<ExitCode> {
  return await withPins(context, options, async (pins) => {
    if (!(await pins.forget(user, service))) throw unknown(user, service);
    await context.say(`whoever logs in next as ${user} for ${service} is the one from then on`);
    return exit.fine;
  });
}

const withPins = (
  context: Context,
  options: LoginsOptions,
  work: (pins: PinTable) => Promise<ExitCode>,
): Promise<ExitCode> =>
  withWebDatabase(context, options, (database) => work(new PinTable(database, context.world.clock)));

async function nobodyToAllow(pins: PinTable, user: string, service: string): Promise<Fault> {
  const pin = await pins.find(user, service);
  if (pin === undefined) return unknown(user, service);
  if (pin.refused !== undefined) {
    const { subject, issuer } = pin.refused;
    const sentence = `the last who was refused as ${user} for ${service} is ${printable(subject)} of ${printable(issuer)}`;
    return new Fault('usage', sentence, { hint: 'nothing was changed; see: tokeep credmon logins list' });
  }
  return new Fault('usage', `nobody but ${printable(pin.subject)} has tried to log in as ${user} for ${service}`, {
    hint: `they log in first, and are refused; or: tokeep credmon logins forget ${user} ${service}`,
  });
}

const unknown = (user: string, service: string): Fault =>
  new Fault('usage', `${user} has not logged in for ${service} yet`, { hint: 'see: tokeep credmon logins list' });

const lineOf = ({ user, service, subject, issuer, pinnedAt }: Pin): string =>
  `${user} ${service}: ${printable(subject)} of ${printable(issuer)}, since ${timestamp(pinnedAt)}`;

const jsonOf = ({ pinnedAt, refused, ...pin }: Pin) => ({
  ...pin,
  pinnedAt: timestamp(pinnedAt),
  ...(refused === undefined ? {} : { refused: { ...refused, at: timestamp(refused.at) } }),
});
