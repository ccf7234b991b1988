import { set, svg } from './dom.js';
import { clockTime, count } from './format.js';

const barWidth = 3;
const step = 4;
const height = 44;
const minuteMs = 60_000;

/**
 * Tasks that ended in each minute of the last hour, those that failed at the foot; the minute that is running is hatched.
 * @param {string} name
 * @param {number} minutes
 */
export function hourChart(name, minutes) {
  const columns = Array.from({ length: minutes }, (_, index) => column(index));
  const element = svg(
    'svg',
    { class: 'chart', viewBox: `0 0 ${minutes * step - 1} ${height}`, preserveAspectRatio: 'none', role: 'img' },
    ...columns.map((one) => one.element),
  );
  return {
    element,
    /** @param {{ succeeded: readonly number[], failed: readonly number[] }} rate @param {number} now */
    update({ succeeded, failed }, now) {
      const sums = succeeded.map((ended, index) => ended + (failed[index] ?? 0));
      const peak = Math.max(1, ...sums);
      columns.forEach((one, index) => {
        const time = clockTime(now - (minutes - 1 - index) * minuteMs);
        one.update({ sum: sums[index] ?? 0, failed: failed[index] ?? 0, peak, time });
      });
      const told = sums.reduce((all, sum) => all + sum, 0);
      const fell = failed.reduce((all, sum) => all + sum, 0);
      const label = `${name}, tasks ended in each minute of the last hour: ${count(told)} in all, at most ${count(Math.max(0, ...sums))} a minute, ${count(fell)} failed`;
      set(element, 'aria-label', label);
    },
  };
}

/** @param {number} index */
function column(index) {
  const title = svg('title');
  const base = { x: index * step, width: barWidth };
  const ended = svg('rect', { ...base, class: 'ended' });
  const failed = svg('rect', { ...base, class: 'fell' });
  // The whole height takes the pointer, also where the bar is low.
  const ground = svg('rect', { ...base, class: 'ground', y: 0, height });
  return {
    element: svg('g', {}, title, ground, ended, failed),
    /** @param {{ sum: number, failed: number, peak: number, time: string }} minute */
    update({ sum, failed: fell, peak, time }) {
      // What is there is seen, however little it is.
      const tall = sum === 0 ? 0.6 : Math.max(2, (sum / peak) * height);
      const low = fell === 0 ? 0 : Math.max(1.5, (fell / peak) * height);
      set(ended, 'y', height - tall);
      set(ended, 'height', tall);
      set(failed, 'y', height - low);
      set(failed, 'height', low);
      const text = `${time}: ${count(sum)} ended${fell === 0 ? '' : `, ${count(fell)} of them failed`}`;
      if (title.textContent !== text) title.textContent = text;
    },
  };
}
