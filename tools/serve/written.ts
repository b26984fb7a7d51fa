/**
 * An answer's text, as it is written → calls as the API has them: a name, then pieces of arguments, a member each. The
 * model writes plain characters and names in snake_case; what leaves here are the caller's names and the user's own words.
 */
import { ground } from "../../runtime/answer/provenance.ts";
import type { Json } from "../../runtime/json.ts";
import { type Request, readRequest } from "../../runtime/text/request.ts";
import type { Tool, ToolSet } from "../../runtime/tools/tools.ts";

/** A call under way. `arguments` is JSON text, whole once the call has ended. */
export interface WrittenCall {
  name: string;
  arguments: string;
}

export interface Listener {
  /** A call has begun: its name is sure. */
  begin?(call: WrittenCall, index: number): void;
  /** The call's arguments go on by a piece of JSON text. */
  piece?(text: string, index: number): void;
}

export class Writing {
  readonly calls: WrittenCall[] = [];
  private readonly request: Request;
  private text = "";
  /** How far the text has been read, and where the part that is open began. */
  private at = 0;
  private from = 0;
  private depth = 0;
  private inString = false;
  private tool: Tool | undefined;

  constructor(
    typed: string,
    private readonly set: ToolSet,
    private readonly listener: Listener = {},
  ) {
    this.request = readRequest(typed);
  }

  /** Takes the text's next piece: of a JSON list of {"name":…,"arguments":{…}}, without white space. */
  push(text: string): void {
    this.text += text;
    for (; this.at < this.text.length; this.at++) this.step(this.text[this.at]);
  }

  private step(char: string): void {
    if (this.inString) {
      if (char === "\\") this.at++;
      else if (char === '"') this.inString = false;
    } else if (char === '"') this.inString = true;
    else if (char === "{" || char === "[") {
      this.depth++;
      if (this.depth <= 3) this.from = this.at + 1;
      if (this.depth === 3) this.piece("{");
    } else if (char === "," && this.depth === 2) this.name();
    else if (char === "," && this.depth === 3) this.member(",");
    else if (char === "}" || char === "]") {
      if (this.depth === 3) this.member("}");
      this.depth--;
    }
  }

  /** The call's name has ended, and its arguments follow. */
  private name(): void {
    const written: string = JSON.parse(`{${this.text.slice(this.from, this.at)}}`).name;
    this.tool = this.set.tools.find(({ promptName }) => promptName === written);
    const call = { name: this.tool?.name ?? written, arguments: "" };
    this.calls.push(call);
    this.listener.begin?.(call, this.calls.length - 1);
  }

  /** A member of the arguments has ended. Its value is in the user's words, or as the model wrote it where they are the same. */
  private member(end: string): void {
    const text = this.text.slice(this.from, this.at);
    this.from = this.at + 1;
    const written: Record<string, Json> = JSON.parse(`{${text}}`);
    const own = ground(written, this.tool?.parameters ?? [], this.request).arguments;
    const isSame = JSON.stringify(own) === JSON.stringify(written);
    this.piece((isSame ? text : JSON.stringify(own).slice(1, -1)) + end);
  }

  private piece(text: string): void {
    const index = this.calls.length - 1;
    this.calls[index].arguments += text;
    this.listener.piece?.(text, index);
  }
}
