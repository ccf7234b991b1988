import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * When a process began, as an opaque text: with its pid it names one process for good, since a pid is given again.
 *
 * @param {number} pid
 * @returns {string | undefined} undefined when there is no such process, or only its zombie
 */
export function startTimeOf(pid) {
  try {
    return process.platform === 'linux' ? startTimeFromProc(pid) : startTimeFromPs(pid);
  } catch {
    return undefined;
  }
}

/**
 * @param {{ pid: number, startTime: string }} record
 * @returns {boolean} whether the process that was recorded still runs
 */
export function stillRuns({ pid, startTime }) {
  return startTimeOf(pid) === startTime;
}

/** @param {number} pid */
function startTimeFromProc(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // Fields are counted after the name, which stands in brackets and may itself hold spaces and brackets (proc(5)).
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? undefined : fields[18];
}

/** @param {number} pid */
function startTimeFromPs(pid) {
  const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
  const line = stdout.trim();
  return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
}
