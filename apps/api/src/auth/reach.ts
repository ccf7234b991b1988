import type { ApiConfig } from '../config.ts';

/** Who may reach the API, and how often. */
export interface Reach {
  /** Host names that requests may be for, beside those that mean this machine. */
  readonly hosts: readonly string[];
  /** Origins of web pages that may use the API. */
  readonly origins: readonly string[];
  /** Requests a minute of one key, or of one address where there are no keys; 0: no limit. */
  readonly rateLimit: number;
}

/** Of one key, when nothing else is set: far above what one client sends, and below what stops an API. */
const requestsAMinute = 60_000;

/** What the settings say of it. */
export function reachOf(
  { HOST, ALLOWED_HOSTS, CORS_ORIGINS, RATE_LIMIT }: ApiConfig,
  { open }: { open: boolean },
): Reach {
  return {
    // The name that it listens on is ours, but on its own no reason to refuse all others.
    hosts: open || ALLOWED_HOSTS.length > 0 ? [...ALLOWED_HOSTS, HOST.toLowerCase()] : [],
    origins: CORS_ORIGINS,
    rateLimit: RATE_LIMIT ?? (open ? 0 : requestsAMinute),
  };
}
