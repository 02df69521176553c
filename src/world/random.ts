/**
 * Chance, as a port. `unit` is uniform in [0, 1), for jitter; `bytes` are fit for keys; `id` is a fresh name of 128 bits in
 * base64url, for attempts, temporary files and nodes.
 */
export interface Random {
  unit(): number;
  bytes(length: number): Buffer;
  id(): string;
}
