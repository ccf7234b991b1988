import { everyKind } from './every-kind.mjs';

/** SIGKILL to an API process. @type {import('../faults.mjs').Fault} */
export const killApi = {
  kinds: everyKind,
  alone: false,
  async strike({ fleet, random }) {
    const serving = fleet.apis.filter(({ process }) => process.isServing);
    if (serving.length === 0) return undefined;
    const { process } = random.pick(serving);
    process.kill();
    return { target: `${process.name} pid ${process.life.pid}`, over: Promise.resolve() };
  },
};
