import type { Form } from '../serve/form.ts';
import type { KnownClient } from './client-directory.ts';

/** What a client that has proved who it is asks for. */
export interface ClientRequest {
  readonly known: KnownClient;
  readonly form: Form;
  /** For log and audit lines. */
  readonly requestId: string;
  /** Where it asks from. */
  readonly address: string;
}
