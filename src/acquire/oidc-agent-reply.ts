import { parseObject } from './answer-json.ts';

/** What an agent said. Whether it is a failure is told by `error`, not by `status`: so do the agent's own clients. */
export interface AgentReply {
  readonly members: Readonly<Record<string, unknown>>;
  readonly error: string | undefined;
}

/** The control characters that JSON wants escaped inside text, and that agents send as they are. */
const control = /[^ -\uffff]/g;

/**
 * Reads an agent's answer leniently. Agents put their JSON together without escaping, so that the words of an issuer bring raw
 * line ends and tabs into it, and even quotation marks, which end the text early. Undefined when nothing can be made of it.
 */
export function readAgentReply(text: string): AgentReply | undefined {
  const members = parseObject(text) ?? parseObject(text.replace(control, ' ')) ?? brokenFailure(text);
  if (members === undefined) return undefined;
  const { error } = members;
  return { members, error: error === undefined || error === null ? undefined : String(error) };
}

/**
 * A failure that an issuer's quotation marks have torn: all up to the last mark (or to `info`) is its text. Step by step, since
 * one pattern for all of it takes minutes for a long text that was made for that.
 */
function brokenFailure(text: string): Readonly<Record<string, unknown>> | undefined {
  const whole = text.trim();
  const begin = /"error"\s*:\s*"/.exec(whole);
  if (begin === null || !whole.startsWith('{') || !whole.endsWith('}')) return undefined;
  const rest = whole.slice(begin.index + begin[0].length, -1).trimEnd();
  const info = /"\s*,\s*"info"\s*:/.exec(rest);
  if (info === null && !rest.endsWith('"')) return undefined;
  return { status: 'failure', error: rest.slice(0, info?.index ?? -1) };
}
