import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback } from '../../src/world/loopback.ts';

test('only this machine is loopback, however a URL or a person writes it', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]']) assert.ok(isLoopback(host), host);
  assert.ok(isLoopback(new URL('http://127.1/').hostname));
  for (const host of ['', 'localhost.evil.example', '127.0.0.1.evil.example', '0.0.0.0', '[::]', '10.0.0.1', '[::1'])
    assert.ok(!isLoopback(host), host);
});
