import { createTestMillrace } from '@millrace/client/testing';
import { describeClient } from '../../../test/conformance/client.ts';
import { describeRuns } from '../../../test/conformance/runs.ts';

const double = createTestMillrace({
  handlers: {
    'text.clean': ({ texts }) => ({
      texts: texts.map((text) =>
        text
          .trim()
          .replace(/<[^>]*>/g, '')
          .replaceAll('&amp;', '&'),
      ),
    }),
  },
});

// Clients of one mill: `close` ends each by itself.
describeClient({ name: 'the test double', open: () => double.another() });
describeRuns({ name: 'the test double', open: () => double.another() });
