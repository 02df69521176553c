import type { AccountRecord } from '../store/records.ts';

/**
 * A vault has denied the token, by its own look-up as well (`acquire/vault-judge.ts`): nothing is to be had with it any more. After a good
 * answer with another token an old refusal stays noted, without a trouble.
 */
export const isDenied = ({ login, trouble }: Pick<AccountRecord, 'login' | 'trouble'>): boolean =>
  (login === 'suspended' && trouble?.code === 'login-suspended') ||
  (login === 'dead' && trouble?.code === 'login-needed');
