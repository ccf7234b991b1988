import { askServer, firstAnswer, type Login, type MasterSeeker, unique } from './master-connector.ts';
import type { RedisHost } from './redis-url.ts';

interface ClusterParams {
  /** Some nodes; the others are learned from them. */
  readonly hosts: readonly RedisHost[];
  /** The beginning of every key: its hash tag decides about the slot. */
  readonly prefix: string;
  readonly login: Login;
}

/** What a node answers of the mill's slot. */
interface NodeAnswer {
  readonly slot: number;
  readonly owner: RedisHost;
  readonly ownsIt: boolean;
  readonly nodes: readonly RedisHost[];
}

/**
 * All keys of a mill have one hash tag, so all lie in one slot, and a cluster is to a mill one master that changes, as with Sentinel:
 * the master of that slot. So a connection to a cluster is an ordinary one, with the same queues, time limits and blocking commands.
 */
export class ClusterMaster implements MasterSeeker {
  private readonly params: ClusterParams;
  /** The last master first. */
  private known: readonly RedisHost[] = [];

  constructor(params: ClusterParams) {
    this.params = params;
  }

  async find(): Promise<RedisHost> {
    return await firstAnswer([...this.known, ...this.params.hosts], (host) => this.askAt(host));
  }

  /** Nothing to do: who is master no more says so himself, by MOVED. */
  watch(): () => void {
    return () => {};
  }

  private async askAt(host: RedisHost): Promise<RedisHost> {
    const answer = await askNode(host, this.params);
    // Only the owner itself knows whether it may serve and whether the slot is being moved.
    const owner = answer.ownsIt ? host : answer.owner;
    const sure = answer.ownsIt ? answer : await askNode(owner, this.params);
    if (!sure.ownsIt) throw new Error(`slot ${sure.slot} has no master that knows of it`);
    this.known = unique([owner, ...sure.nodes]);
    return owner;
  }
}

/** Asks a node about the mill's slot. @throws Error when it does not answer, or the slot cannot be used now. */
async function askNode(host: RedisHost, { prefix, login }: ClusterParams): Promise<NodeAnswer> {
  const [slot, slots, info, nodes] = await askServer(host, login, (node) =>
    Promise.all([node.cluster('KEYSLOT', prefix), node.cluster('SLOTS'), node.cluster('INFO'), node.cluster('NODES')]),
  );
  if (!String(info).includes('cluster_state:ok')) throw new Error('CLUSTERDOWN: the cluster does not serve');
  return readAnswer({ slot: Number(slot), slots: slots as unknown as SlotRange[], nodes: String(nodes), host });
}

/** From a slot, to a slot, its master and its replicas: host, port, id. */
type SlotRange = readonly [number, number, ...(readonly [string | null, number, string])[]];

interface RawAnswer {
  readonly slot: number;
  readonly slots: readonly SlotRange[];
  /** The answer to CLUSTER NODES. */
  readonly nodes: string;
  /** Who answered: a node that does not know its own address leaves it out. */
  readonly host: RedisHost;
}

function readAnswer({ slot, slots, nodes, host }: RawAnswer): NodeAnswer {
  const [, , master] = slots.find(([from, to]) => from <= slot && slot <= to) ?? [];
  if (master === undefined) throw new Error(`CLUSTERDOWN: no node serves slot ${slot}`);
  const myself = nodes.split('\n').find((line) => line.includes('myself')) ?? '';
  // `[93-<-id]` or `[93->-id]`: half of the keys are here, half there, and scripts would see neither.
  if (new RegExp(`\\[${slot}-[<>]-`).test(myself)) {
    throw new Error(`TRYAGAIN: slot ${slot}, with all keys of this mill, is being moved; it goes on when that is done`);
  }
  const addressOf = ([name, port]: readonly [string | null, number, string]) => ({ host: name || host.host, port });
  return {
    slot,
    owner: addressOf(master),
    ownsIt: myself.startsWith(master[2]),
    nodes: slots.flatMap(([, , ...all]) => all.map(addressOf)),
  };
}
