const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const day = units.d;
const longest = 30 * day;

/** How long a run may take, in ms: `24h`, `30m`, `90s`, `7d`, up to 30 days; 24 hours for whatever else it says. */
export function windowMs(text: string): number {
  const [, count, unit] = /^(\d{1,9})(s|m|h|d)$/.exec(text.trim()) ?? [];
  if (count === undefined || unit === undefined) return day;
  return Math.min(Math.max(1, Number(count)) * units[unit as keyof typeof units], longest);
}
