/** What tokens of this field are signed with. Never `none`, never a shared secret (VER-01). */
export type SigningAlgorithm = 'ES256' | 'RS256';
