import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import type { Problem } from '../errors.ts';

const longestUrl = 2048;

const webhookUrl = z
  .string()
  .max(longestUrl)
  .superRefine((text, context) => {
    const fault = urlFault(text);
    if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
  })
  .meta({ description: 'http or https, without credentials, at most 2,048 characters; a host of WEBHOOK_HOSTS.' });

/** Who is told of an end. */
export const webhookSchema = z.strictObject({ url: webhookUrl });
export type Webhook = z.infer<typeof webhookSchema>;

/** Where webhooks may go. */
export const webhookPolicySchema = z.object({
  /** WEBHOOK_HOSTS; none: webhooks are off. */
  hosts: z.array(z.string()),
  /** WEBHOOK_PRIVATE_ADDRESSES. */
  privateAddresses: z.boolean(),
});
export type WebhookPolicy = z.infer<typeof webhookPolicySchema>;

/**
 * What is wrong with a webhook's well-formed URL under a policy; `path` is where it stands. A name may still turn out to have a
 * private address: that is looked at when it is connected to.
 */
export function webhookProblem(policy: WebhookPolicy, { url }: Webhook, path = 'webhook'): Problem | undefined {
  const { hostname } = new URL(url);
  const got = JSON.stringify(hostname.slice(0, 80));
  if (!policy.hosts.some((pattern) => matches(pattern, hostname))) {
    const remedy = 'Use another URL, or add the host to WEBHOOK_HOSTS of the API.';
    return { path: `${path}.url`, got, expected: 'a host of WEBHOOK_HOSTS', remedy };
  }
  if (policy.privateAddresses || !isNeverPublic(hostname)) return undefined;
  const remedy = 'Use another URL, or set WEBHOOK_PRIVATE_ADDRESSES=1 where receivers are in your own network.';
  return { path: `${path}.url`, got, expected: 'a host with a public address', remedy };
}

/** Whether an address, IPv4 or IPv6 without brackets, belongs to one host of the public internet. */
export function isPublicAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return !specialV4.check(address, 'ipv4');
  return version === 6 && publicV6.check(address, 'ipv6') && !specialV6.check(address, 'ipv6');
}

/** The webhook in the data of a job, which any program may have written; undefined when there is none, or it is not valid. */
export function webhookIn(data: unknown): Webhook | undefined {
  if (typeof data !== 'object' || data === null || !('webhook' in data)) return undefined;
  return webhookSchema.safeParse(data.webhook).data;
}

function urlFault(text: string): string | undefined {
  if (!URL.canParse(text)) return 'a URL such as https://hooks.example.com/millrace';
  const { protocol, username, password, hostname } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return 'a URL of http or https';
  if (username !== '' || password !== '') return 'a URL without user name and password';
  return hostname === '' ? 'a URL with a host' : undefined;
}

/** `hostname` as a URL has it: in small letters, numbers of IPv4 written out, IPv6 in brackets. */
function matches(pattern: string, hostname: string): boolean {
  // A dot at the end makes no other host of a name.
  const name = hostname.replace(/\.$/, '');
  if (pattern === '*') return true;
  // Addresses have no names below them.
  if (pattern.startsWith('*.')) return isIP(name) === 0 && name.endsWith(pattern.slice(1));
  return name === pattern;
}

/** Addresses that are not public, and names that mean this machine wherever they are looked up. */
function isNeverPublic(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '').replace(/^\[(.*)\]$/, '$1');
  if (isIP(name) !== 0) return !isPublicAddress(name);
  return name === 'localhost' || name.endsWith('.localhost');
}

function subnets(family: 'ipv4' | 'ipv6', list: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const entry of list) {
    const [net = '', prefix] = entry.split('/');
    blocks.addSubnet(net, Number(prefix), family);
  }
  return blocks;
}

/** IANA's registry of special-purpose addresses, multicast, and what is reserved. */
const specialV4 = subnets('ipv4', [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
]);
/** All else of IPv6 is loopback, link-local, private, multicast, reserved, or carries an IPv4 address (mapped, NAT64). */
const publicV6 = subnets('ipv6', ['2000::/3']);
/** Of that, what is special (Teredo, documentation …), and 6to4, which carries an IPv4 address. */
const specialV6 = subnets('ipv6', ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']);
