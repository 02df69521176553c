declare const unit: unique symbol;

/** A point on the wall clock, in milliseconds since 1970. May jump when the clock is set. */
export type Epoch = number & { readonly [unit]: 'Epoch' };
/** A point on a clock that never jumps (and may stand still while the machine sleeps), in milliseconds. Not comparable with {@link Epoch}. */
export type Mono = number & { readonly [unit]: 'Mono' };
/** A length of time in milliseconds. */
export type Millis = number & { readonly [unit]: 'Millis' };

export const epoch = (milliseconds: number): Epoch => milliseconds as Epoch;
/** From the seconds that JWTs and HTTP use. */
export const epochFromSeconds = (seconds: number): Epoch => (seconds * 1000) as Epoch;
export const mono = (milliseconds: number): Mono => milliseconds as Mono;
export const millis = (milliseconds: number): Millis => milliseconds as Millis;
export const seconds = (n: number): Millis => (n * 1000) as Millis;
export const minutes = (n: number): Millis => (n * 60_000) as Millis;
export const hours = (n: number): Millis => (n * 3_600_000) as Millis;
export const days = (n: number): Millis => (n * 86_400_000) as Millis;

export function after<P extends Epoch | Mono>(point: P, length: Millis): P {
  return (point + length) as P;
}

/** `later - earlier`, negative when the order is the other way round. */
export function between<P extends Epoch | Mono>(earlier: P, later: P): Millis {
  return (later - earlier) as Millis;
}

export const earliest = (...points: readonly Epoch[]): Epoch => Math.min(...points) as Epoch;
export const latest = (...points: readonly Epoch[]): Epoch => Math.max(...points) as Epoch;
