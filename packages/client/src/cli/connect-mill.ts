import { readSettings } from '@millrace/shared/env';
import { loadPlugins } from '@millrace/shared/plugins';
import { createCatalog } from '@millrace/shared/tasks/catalog';
import type { TaskType } from '@millrace/shared/tasks/define-task-type';
import { Millrace } from '../client.ts';
import type { MillAddress } from './mill-address.ts';
import type { AnyMill, OpenMill } from './open-mill.ts';

/** Opens the mill at an address, with the types of MILLRACE_PLUGINS. @throws MillraceError CONFIG_INVALID. */
export async function openMill(address: MillAddress, retryMs: number): Promise<OpenMill> {
  const { MILLRACE_PLUGINS } = readSettings(['MILLRACE_PLUGINS']);
  const { taskTypes } = await loadPlugins(MILLRACE_PLUGINS);
  return {
    address,
    catalog: createCatalog(taskTypes),
    mill: connect(address, { taskTypes, retryMs }),
    async workersNow() {
      const mill = connect(address, { taskTypes: [], retryMs: 0 });
      try {
        return await mill.workers();
      } finally {
        await mill.close();
      }
    },
  };
}

function connect(
  address: MillAddress,
  { taskTypes, retryMs }: { taskTypes: readonly TaskType[]; retryMs: number },
): AnyMill {
  if (address.way === 'redis') {
    const { redisUrl, prefix } = address;
    return new Millrace({ redisUrl, prefix, taskTypes });
  }
  const { baseUrl, apiKey } = address;
  return new Millrace({ baseUrl, retryMs, ...(apiKey === undefined ? {} : { apiKey }), taskTypes });
}
