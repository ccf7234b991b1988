/** Examples for the end of a help text: a command and what it does. */
export function examples(entries: readonly (readonly [command: string, meaning: string])[]): string {
  const lines = entries.flatMap(([command, meaning]) => [`  # ${meaning}`, `  ${command}`]);
  return `\nExamples:\n${lines.join('\n')}\n`;
}
