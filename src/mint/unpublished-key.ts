import type { SigningKey } from './signing-key.ts';

/** Of a key that signs and that nobody can know yet: what becomes of its tokens. Undefined for every other. */
export function unpublishedRemark({ kid, state, publishedAt }: SigningKey): string | undefined {
  if (state !== 'signing' || publishedAt !== undefined) return undefined;
  return `the key ${kid} signs and was never published: services refuse its tokens until \`tokeep issuer publish OUTDIR\` (\`tokeep issuer serve\` publishes by itself)`;
}
