/**
 * The number to print for a float32: when JSON's reader rounds it to float32 again it is the same, and it is mostly shorter
 * than the 17 digits of the double (0.1 instead of 0.10000000149011612), which halves a result.
 */
export function printable(value: number): number {
  // Plain arithmetic settles nearly all values between 0.01 and 1; toPrecision is several times slower, and always right.
  const eight = Math.round(value * 1e8) / 1e8;
  if (Math.fround(eight) === value) return eight;
  const nine = Math.round(value * 1e9) / 1e9;
  if (Math.fround(nine) === value) return nine;
  return Number(value.toPrecision(9));
}
