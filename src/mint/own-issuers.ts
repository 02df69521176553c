import { Fault } from '../fault/fault.ts';
import type { Sealer } from '../store/sealer.ts';
import type { World } from '../world/world.ts';
import type { AuditHead } from './audit.ts';
import type { Issuer } from './issuer.ts';

/** Where audit logs end, and of which issuers that could not be read, and why. */
export interface OwnHeads {
  readonly heads: readonly (AuditHead & { readonly directory: string })[];
  readonly failed: readonly { readonly directory: string; readonly thrown: unknown }[];
}

/** The issuers whose keys are at hand, each opened when it is first asked for, and once. */
export interface OwnIssuers {
  /** Throws what opening an issuer throws; the next call tries again. */
  at(directory: string): Promise<Issuer>;
  /** Of those that were used, for the journal; never rejects. */
  heads(): Promise<OwnHeads>;
  close(): Promise<void>;
}

/** @param sealer opened only if an issuer keeps its keys sealed; `chain` names our chain in the audit log. */
export function ownIssuers(
  world: World,
  deps: { readonly sealer: () => Promise<Sealer>; readonly chain: string },
): OwnIssuers {
  const open = new Map<string, Promise<Issuer>>();
  const at = (directory: string): Promise<Issuer> => {
    const known = open.get(directory);
    if (known !== undefined) return known;
    const opening = openOne(world, directory, deps);
    open.set(directory, opening);
    opening.catch(() => open.delete(directory));
    return opening;
  };
  return {
    at,
    async heads() {
      const each = await Promise.all([...open].map(([directory, issuer]) => headsOf(directory, issuer)));
      return { heads: each.flatMap(({ heads }) => heads), failed: each.flatMap(({ failed }) => failed) };
    },
    async close() {
      const all = await Promise.allSettled(open.values());
      open.clear();
      for (const one of all) if (one.status === 'fulfilled') await one.value.close();
    },
  };
}

/** Of one of them; never rejects. */
export async function headsOf(directory: string, opening: Issuer | Promise<Issuer>): Promise<OwnHeads> {
  try {
    const heads = await (await opening).audit.heads();
    return { heads: heads.map((head) => ({ ...head, directory })), failed: [] };
  } catch (thrown) {
    return { heads: [], failed: [{ directory, thrown }] };
  }
}

/** Loaded where it is wanted only: most configurations sign nothing themselves. */
async function openOne(world: World, directory: string, deps: Parameters<typeof ownIssuers>[1]): Promise<Issuer> {
  const { openIssuer } = await import('./open-issuer.ts');
  return await openIssuer(world, directory, deps);
}

/** For programs that sign nothing. */
export const noOwnIssuers: OwnIssuers = {
  at: async (directory) => {
    throw new Fault('bug', `the issuer in ${directory} was asked for where nothing is signed`);
  },
  heads: async () => ({ heads: [], failed: [] }),
  close: async () => {},
};
