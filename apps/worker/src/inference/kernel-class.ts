import { readFileSync } from 'node:fs';
import os from 'node:os';

/** Instruction sets that make the runtime choose other kernels, and so other rounding; the best one counts. */
const instructionSets = ['amx_int8', 'avx512_vnni', 'avx_vnni', 'avx512f', 'avx2', 'avx', 'i8mm', 'asimddp', 'asimd'];

/**
 * What kind of CPU this is, as far as results depend on it: the same model on CPUs of different classes may differ in the last
 * bits, so vectors of different classes do not share a cache.
 */
export function kernelClass(): string {
  const flags = new Set(cpuFlags());
  const best = instructionSets.find((name) => flags.has(name));
  return `${os.arch()}-${best ?? os.cpus()[0]?.model.trim().replaceAll(/\s+/g, '-') ?? 'unknown'}`;
}

/** Linux only; elsewhere the name of the CPU has to do. */
function cpuFlags(): string[] {
  try {
    const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
    return line?.[1]?.split(/\s+/) ?? [];
  } catch {
    return [];
  }
}
