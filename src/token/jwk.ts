/** Members of a JWK that only its holder may know (RFC 7518 section 6). */
const privateMembers: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']);

type Jwk = Readonly<Record<string, unknown>>;

/** Has somebody put the private half of a key where its public half belongs? */
export const hasPrivateHalf = (jwk: Jwk): boolean => Object.keys(jwk).some((member) => privateMembers.has(member));

/** What everybody may see of a key. */
export const publicHalf = <V>(jwk: Readonly<Record<string, V>>): Readonly<Record<string, V>> =>
  Object.fromEntries(Object.entries(jwk).filter(([member]) => !privateMembers.has(member)));
