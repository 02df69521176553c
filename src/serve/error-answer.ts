import { exit } from '../fault/codes.ts';
import { Fault } from '../fault/fault.ts';

/** An error as every endpoint here answers it: the shape of RFC 6749 section 5.2, whatever went wrong. */
export interface ErrorAnswer {
  readonly status: number;
  readonly error: string;
  /** For people; printable ASCII without quotes, as the RFC wants it. */
  readonly description: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const errorBody = ({ error, description }: Pick<ErrorAnswer, 'error' | 'description'>): string =>
  JSON.stringify({ error, error_description: describable(description) });

/** Only the characters that RFC 6749 section 5.2 lets into `error_description`. */
const describable = (text: string): string => text.replace(/"/g, "'").replace(/[^\x20-\x7e]|\\/g, '?');

const byCode: Readonly<Record<string, Omit<ErrorAnswer, 'headers'>>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { status: 413, error: 'invalid_request', description: 'the body is too large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    status: 415,
    error: 'invalid_request',
    description: 'the body has to be application/x-www-form-urlencoded',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    status: 400,
    error: 'invalid_request',
    description: 'the body is not as long as Content-Length says',
  },
  FST_ERR_BAD_URL: { status: 400, error: 'invalid_request', description: 'the path of the request cannot be read' },
};

const ours: Omit<ErrorAnswer, 'headers'> = {
  status: 500,
  error: 'server_error',
  description: 'the server could not answer; its log says more, under the request id',
};

/** What passes by itself, as a database that is being restarted: clients are to come again, and not to take it for their fault. */
const later: ErrorAnswer = {
  status: 503,
  error: 'temporarily_unavailable',
  description: 'the server cannot answer at the moment; come back soon',
  headers: { 'retry-after': '2' },
};

/** What a client is told of something thrown; nothing of the thrown thing itself but what fastify means for clients. */
export function answerOf(thrown: unknown): ErrorAnswer {
  if (thrown instanceof Fault && thrown.exit === exit.temporary) return later;
  const { code, statusCode } = (thrown ?? {}) as { readonly code?: unknown; readonly statusCode?: unknown };
  const known = typeof code === 'string' ? byCode[code] : undefined;
  if (known !== undefined) return known;
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return { status: statusCode, error: 'invalid_request', description: 'the request could not be read' };
  }
  return ours;
}
