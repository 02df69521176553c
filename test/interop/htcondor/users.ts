/** Each test has its own people, so that no test meets another's jobs and credentials. */
export const users = [
  ...['alice', 'bob', 'carol', 'dave', 'erin', 'frank', 'grace', 'heidi', 'ivan', 'judy', 'mallory', 'niaj', 'olivia'],
  ...['peggy', 'rupert', 'sybil', 'trent', 'victor', 'walter', 'pusher', 'cespilot', 'cesprod'],
  ...Array.from({ length: 11 }, (_, index) => `healthy${index + 1}`),
] as const;
