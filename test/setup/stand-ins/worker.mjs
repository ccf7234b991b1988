// Stands in for the worker in the tests of `npm start`: has a child as the real one has lanes.
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { log, stopWhenAsked, warmFile } from './app.mjs';

const lane = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
log(30, `lane ${lane.pid}`);
if (process.env['STAND_IN_STUBBORN']) process.on('SIGTERM', () => {});
else stopWhenAsked(() => lane.kill('SIGKILL'));
writeFileSync(warmFile(), '');
