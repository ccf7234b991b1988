import { describe, expect, it } from 'vitest';
import { readSettings } from '../src/env.ts';
import { settings } from '../src/settings.ts';

describe('Settings', () => {
  it('have the defaults that the table says', () => {
    expect(readSettings(['PORT', 'FAMILIES', 'INFERENCE_LANES', 'MILLRACE_PREFIX'], {})).toEqual({
      PORT: 3000,
      FAMILIES: ['text', 'inference', 'vector'],
      INFERENCE_LANES: undefined,
      MILLRACE_PREFIX: '{millrace}',
    });
  });

  it('are all checked at once, and an empty one counts as unset', () => {
    const env = { PORT: '99999', HOST: '', LOG_LEVEL: 'loud', REDIS_URL: 'localhost', MILLRACE_PREFIX: 'mill' };
    const names = ['PORT', 'HOST', 'LOG_LEVEL', 'REDIS_URL', 'MILLRACE_PREFIX'] as const;
    expect(() => readSettings(names, env)).toThrow(/PORT is "99999".*LOG_LEVEL is "loud".*REDIS_URL.*MILLRACE_PREFIX/);
  });

  it('never repeat a key that was written where its hash belongs', () => {
    expect(() => readSettings(['MILLRACE_API_KEYS'], { MILLRACE_API_KEYS: 'hunter2' })).toThrow(/^(?!.*hunter2)/);
  });

  it('read keys, lists and limits', () => {
    const hash = 'a'.repeat(64);
    const env = {
      MILLRACE_API_KEYS: `app:enqueue:${hash}, ops:admin:${hash}`,
      FAMILIES: 'text, vector',
      TASK_LIMITS: 'inference.embed=512/2097152',
    };
    expect(readSettings(['MILLRACE_API_KEYS', 'FAMILIES', 'TASK_LIMITS'], env)).toEqual({
      MILLRACE_API_KEYS: [
        { name: 'app', scope: 'enqueue', hash },
        { name: 'ops', scope: 'admin', hash },
      ],
      FAMILIES: ['text', 'vector'],
      TASK_LIMITS: new Map([['inference.embed', { items: 512, bytes: 2_097_152 }]]),
    });
  });

  it('read who may reach the API, and how often', () => {
    const hash = 'b'.repeat(64);
    const names = ['MILLRACE_API_KEYS', 'RATE_LIMIT', 'ALLOWED_HOSTS', 'CORS_ORIGINS', 'BOARD_HIDE_PAYLOADS'] as const;
    const env = {
      MILLRACE_API_KEYS: `app:read:${hash}:600`,
      RATE_LIMIT: '0',
      ALLOWED_HOSTS: 'Mill.example, [fd00::1]',
      CORS_ORIGINS: 'https://App.example, http://127.0.0.1:5173',
      BOARD_HIDE_PAYLOADS: 'true',
    };
    expect(readSettings(names, env)).toEqual({
      MILLRACE_API_KEYS: [{ name: 'app', scope: 'read', hash, limit: 600 }],
      RATE_LIMIT: 0,
      ALLOWED_HOSTS: ['mill.example', '[fd00::1]'],
      CORS_ORIGINS: ['https://app.example', 'http://127.0.0.1:5173'],
      BOARD_HIDE_PAYLOADS: 'true',
    });
    expect(readSettings(names, {})).toMatchObject({ RATE_LIMIT: undefined, ALLOWED_HOSTS: [], CORS_ORIGINS: [] });
  });

  it.each([
    ['ALLOWED_HOSTS', 'mill.example:3000'],
    ['ALLOWED_HOSTS', '*'],
    ['CORS_ORIGINS', '*'],
    ['CORS_ORIGINS', 'https://app.example/path'],
    ['CORS_ORIGINS', 'app.example'],
    ['CORS_ORIGINS', 'null'],
    ['RATE_LIMIT', 'many'],
    ['BOARD_HIDE_PAYLOADS', '1'],
  ] as const)('refuse %s=%s', (name, value) => {
    expect(() => readSettings([name], { [name]: value })).toThrow(name);
  });

  it('accept their own defaults', () => {
    for (const [name, { schema, default: value }] of Object.entries(settings)) {
      if (value !== undefined) expect(schema.safeParse(value).success, name).toBe(true);
    }
  });
});
