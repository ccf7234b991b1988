import { Refusal } from '../setup/refusal.mjs';
import { askRedis } from './ask.mjs';

/** @typedef {import('../setup/terminal.mjs').Terminal} Terminal */

const ANSWER_WITHIN_MS = 3000;
const POLICY = 'noeviction';

/**
 * Looks at the Redis that REDIS_URL names, and refuses one that is not there or that may evict keys: with an eviction
 * policy Redis drops tasks under memory pressure without a word.
 *
 * @param {string} url
 * @param {Terminal} terminal
 */
export async function checkGivenRedis(url, terminal) {
  const shown = maskedUrl(url);
  const policy = await askPolicy(url, shown);
  if (policy === undefined) {
    terminal.say(
      `${shown} does not tell its maxmemory-policy; make sure that it is ${POLICY}, else tasks may be lost.`,
    );
  } else if (policy !== POLICY) {
    throw new Refusal(
      `${shown} has maxmemory-policy ${policy} and would drop tasks when its memory is full; ` +
        `change it with \`redis-cli -u "$REDIS_URL" CONFIG SET maxmemory-policy ${POLICY}\`.`,
    );
  }
}

/**
 * @param {string} url
 * @param {string} shown
 * @returns {Promise<string | undefined>} undefined where neither CONFIG nor INFO is allowed, as with some hosts
 */
async function askPolicy(url, shown) {
  try {
    const [pong, config, info] = await askRedis(
      url,
      [['PING'], ['CONFIG', 'GET', 'maxmemory-policy'], ['INFO', 'memory']],
      { timeoutMs: ANSWER_WITHIN_MS },
    );
    if (pong instanceof Error) throw pong;
    if (Array.isArray(config) && typeof config[1] === 'string') return config[1];
    return /maxmemory_policy:(\S+)/.exec(String(info))?.[1];
  } catch (error) {
    const reason = error instanceof Error ? describe(error) : String(error);
    throw new Refusal(
      `No usable Redis at ${shown} (${reason}); start it, correct REDIS_URL, or unset REDIS_URL to have a private one.`,
    );
  }
}

/** @param {Error} error */
function describe(error) {
  // Node tries IPv4 and IPv6 and then gives an AggregateError without a message.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  return String(first?.message || first?.code || first);
}

const FORMS = /^rediss?(\+(sentinel|cluster))?:\/\/(.*@)?[\w.[-]/;

/**
 * Whether this can be looked at before anything is installed: not Sentinels, a cluster, or TLS with files of its own. Those are
 * looked at by API and workers, as every Redis is.
 *
 * @param {string} url
 * @param {import('../setup/root.mjs').Env} env
 */
export function canLookAt(url, env) {
  const hasFiles = ['CA', 'CERT', 'KEY', 'SERVERNAME'].some((name) => (env[`REDIS_TLS_${name}`] ?? '') !== '');
  return !/^rediss?\+/.test(url) && !(url.startsWith('rediss:') && (hasFiles || /[?&]tls[A-Z]/.test(url)));
}

/**
 * @param {string} url
 * @returns {string} without its passwords, fit for a terminal
 * @throws {Refusal} when it is no address of a Redis
 */
export function maskedUrl(url) {
  const isPlain = !/^rediss?\+/.test(url);
  if (!FORMS.test(url) || (isPlain && !URL.canParse(url))) {
    throw new Refusal(
      'REDIS_URL is not an address like redis://127.0.0.1:6379, rediss://user:password@host:6380/0, redis+sentinel://host:26379/name or redis+cluster://host:6379; correct or unset it.',
    );
  }
  return url.replace(/^(\w+(?:\+\w+)?:\/\/[^:@/]*):.*@/, '$1:***@').replace(/([?&]\w*password=)[^&]*/gi, '$1***');
}
