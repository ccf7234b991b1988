import { readFileSync } from 'node:fs';
import os from 'node:os';

/**
 * The cores that this process may use: what the scheduler allows, and a container's CPU quota (cgroup v2 cpu.max, v1
 * cpu.cfs_quota_us), which Node 20 does not see. At least 1.
 */
export function usableCores(): number {
  const quota = quotaV2() ?? quotaV1() ?? Number.POSITIVE_INFINITY;
  return Math.max(1, Math.min(os.availableParallelism(), Math.floor(quota)));
}

function quotaV2(): number | undefined {
  const [quota, period] = readWords('/sys/fs/cgroup/cpu.max');
  return quota === undefined || quota === 'max' ? undefined : Number(quota) / Number(period);
}

function quotaV1(): number | undefined {
  const [quota] = readWords('/sys/fs/cgroup/cpu/cpu.cfs_quota_us');
  const [period] = readWords('/sys/fs/cgroup/cpu/cpu.cfs_period_us');
  return quota === undefined || Number(quota) <= 0 ? undefined : Number(quota) / Number(period);
}

function readWords(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trim().split(/\s+/);
  } catch {
    return []; // No such cgroup, or not Linux.
  }
}
