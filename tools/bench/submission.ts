/** What a public table of boards takes (submission.schema.json): a bench's reports, and on which machine they were made. */
import { commandLine, writeBytes } from "../command.ts";
import { describeBoard } from "../profile/board.ts";

export function writeSubmission(path: string, reports: readonly object[]): void {
  const submission = {
    format: 1,
    date: new Date().toISOString(),
    command: commandLine(),
    board: describeBoard(),
    reports,
  };
  writeBytes(path, `${JSON.stringify(submission, null, 2)}\n`);
}
