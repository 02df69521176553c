declare const brand: unique symbol;

/** The exact `iss` string of an issuer. Never normalised: a trailing slash is part of the name (RFC 8414 section 2). */
export type IssuerUrl = string & { readonly [brand]: 'IssuerUrl' };
/** One scope-token of RFC 6749 section 3.3, such as `storage.read:/home`. */
export type Scope = string & { readonly [brand]: 'Scope' };
/** One audience, as it stands in `aud`. */
export type Audience = string & { readonly [brand]: 'Audience' };
/** The name of an account section in the configuration. */
export type AccountName = string & { readonly [brand]: 'AccountName' };
/** The name of a wish (a `tokens:` entry, after `for_each` rows are filled in). */
export type WishName = string & { readonly [brand]: 'WishName' };
