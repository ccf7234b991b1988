import { readFileSync } from 'node:fs';
import os from 'node:os';

/**
 * Which machine this is, as far as cores are shared: the kernel's boot and the CPUs that the process may run on. Containers of
 * one machine have the same; a container with CPUs of its own does not share.
 */
export function machineId(): string {
  const boot = read('/proc/sys/kernel/random/boot_id') ?? os.hostname();
  const cpus = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read('/proc/self/status') ?? '')?.[1] ?? 'all';
  return `${boot}/${cpus}`;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined; // Not Linux.
  }
}
