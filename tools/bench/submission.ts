/** What a public table of boards takes (submission.schema.json): a bench's reports, and on which machine they were made. */
import { writeFileSync } from "node:fs";
import { commandLine } from "../command.ts";
import { describeBoard } from "../profile/board.ts";

export function writeSubmission(path: string, reports: readonly object[]): void {
  const submission = {
    format: 1,
    date: new Date().toISOString(),
    command: commandLine(),
    board: describeBoard(),
    reports,
  };
  writeFileSync(path, `${JSON.stringify(submission, null, 2)}\n`);
}
