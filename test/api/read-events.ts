/** A server-sent event with JSON. */
export interface ServerEvent {
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** The events of an answer; comments and empty ones are left out. */
export async function* readEvents(response: Response): AsyncGenerator<ServerEvent, void, undefined> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
    throw new Error(`${response.status}: ${await response.text()}`);
  }
  let text = '';
  for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const event = eventIn(text.slice(0, end));
      text = text.slice(end + 2);
      if (event !== undefined) yield event;
    }
  }
}

function eventIn(block: string): ServerEvent | undefined {
  const field = (name: string) =>
    block
      .split('\n')
      .find((line) => line.startsWith(`${name}: `))
      ?.slice(name.length + 2);
  const data = field('data');
  return data === undefined ? undefined : { event: field('event') ?? 'message', data: JSON.parse(data) };
}
