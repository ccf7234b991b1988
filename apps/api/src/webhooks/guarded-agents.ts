import { type LookupAddress, type LookupOptions, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isPublicAddress } from '@millrace/shared/tasks/webhook';
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent';

/** How the addresses of a name are found; the system's resolver unless a test has another. */
export type Resolve = (
  name: string,
  options: LookupOptions & { all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A name that has a private or otherwise special address. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress';
}

/** What a request to somebody else's URL is made with. */
export interface Guard {
  readonly http: RequestFilteringHttpAgent;
  readonly https: RequestFilteringHttpsAgent;
  readonly lookup: LookupFunction;
}

/**
 * Connections that only reach public addresses, unless private ones are allowed. A name is looked up once, every address that it
 * has is checked, and to one of these very addresses the connection is made: a second answer of its name server (DNS rebinding)
 * is never asked for. The agents check once more what is given to them. No connection is kept for another request.
 */
export function guardedAgents({ privateAddresses, resolve = systemLookup }: GuardParams): Guard {
  const options = { keepAlive: false, allowPrivateIPAddress: privateAddresses, allowMetaIPAddress: false };
  return {
    http: new RequestFilteringHttpAgent(options),
    https: new RequestFilteringHttpsAgent(options),
    lookup: (name, wanted, done) => {
      resolve(name, { ...wanted, all: true }, (error, addresses) => {
        const forbidden = privateAddresses ? undefined : addresses?.find(({ address }) => !isPublicAddress(address));
        const [first] = addresses ?? [];
        if (error !== null) done(error, []);
        else if (forbidden !== undefined)
          done(new ForbiddenAddress(`${name} has the address ${forbidden.address}`), []);
        else if (first === undefined) done(new Error(`${name} has no address`), []);
        else if (wanted.all) done(null, addresses);
        else done(null, first.address, first.family);
      });
    },
  };
}

interface GuardParams {
  /** WEBHOOK_PRIVATE_ADDRESSES. */
  readonly privateAddresses: boolean;
  readonly resolve?: Resolve;
}
