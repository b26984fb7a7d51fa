/** The answer's tokens as they came: forced or chosen, and of a chosen one what it was chosen from. */
import { signal } from "@preact/signals";
import type { Candidate, TracedToken } from "../../../runtime/index.ts";
import { shownTokens, tokens } from "./state.ts";

const chosen = signal<number | null>(null);

export function Tokens() {
  const list = tokens.value;
  if (!list.length) return null;
  const shown = list.slice(0, shownTokens.value);
  // Unless one is asked for, the one that was least sure.
  const at = chosen.value !== null && chosen.value < list.length ? chosen.value : leastSure(list);
  const forced = list.filter((token) => token.forced).length;
  return (
    <section aria-label="Tokens">
      <h2>
        Tokens{" "}
        <span class="note">
          {list.length}, {forced} forced
        </span>
      </h2>
      <fieldset class="tokens" aria-label="Tokens of the answer">
        {shown.map((token, i) => (
          <button
            key={i}
            type="button"
            tabIndex={i === at ? 0 : -1}
            aria-pressed={i === at}
            aria-label={labelOf(token)}
            class={`token ${token.forced ? "forced" : doubt(token)}`}
            onKeyDown={(event) => step(event, i, list.length)}
            onClick={() => {
              chosen.value = i;
            }}
          >
            {visible(token.text)}
          </button>
        ))}
      </fieldset>
      <Detail token={list[at]} />
    </section>
  );
}

/** One stop of the Tab key for all; arrows go on from there. */
function step(event: KeyboardEvent, at: number, count: number): void {
  const by = { ArrowRight: 1, ArrowLeft: -1, Home: -count, End: count }[event.key];
  if (by === undefined) return;
  event.preventDefault();
  const next = Math.min(count - 1, Math.max(0, at + by));
  chosen.value = next;
  const { parentElement } = event.currentTarget as HTMLElement;
  (parentElement?.children[next] as HTMLElement | undefined)?.focus();
}

function leastSure(list: readonly TracedToken[]): number {
  const sure = ({ forced, margin }: TracedToken) => (forced || margin === null ? Number.POSITIVE_INFINITY : margin);
  return list.reduce((least, token, i) => (sure(token) < sure(list[least]) ? i : least), 0);
}

function Detail({ token }: { token: TracedToken }) {
  const { forced, allowed, top, margin, wanted, ms } = token;
  if (forced)
    return (
      <p class="detail">
        <code>{visible(token.text)}</code> could only be so: no logits were computed.
      </p>
    );
  return (
    <div class="detail">
      <p>
        <code>{visible(token.text)}</code> chosen of {allowed} {allowed === 1 ? "token" : "tokens"} at {ms.toFixed(1)}{" "}
        ms
        {margin !== null && `, ${margin.toFixed(1)} logits before the next`}.
        {wanted && (
          <>
            {" "}
            Without the grammar it would have been <code>{visible(wanted.text)}</code>.
          </>
        )}
      </p>
      <ol class="top">
        {top.map((one) => (
          <Share key={one.id} candidate={one} />
        ))}
      </ol>
    </div>
  );
}

function Share({ candidate }: { candidate: Candidate }) {
  const share = 100 * Math.exp(candidate.logProb);
  return (
    <li>
      <code>{visible(candidate.text)}</code>
      <span class="bar" style={{ width: `${Math.max(0.5, share * 0.6)}%` }} />
      <span class="note">{share < 0.1 ? "< 0.1" : share.toFixed(1)}%</span>
    </li>
  );
}

/** How near the second came. */
function doubt({ margin }: TracedToken): string {
  return margin === null || margin > 4 ? "sure" : margin > 1.5 ? "open" : "close";
}

function labelOf({ text, forced, allowed }: TracedToken): string {
  return `${visible(text)}, ${forced ? "forced" : `chosen of ${allowed}`}`;
}

/** Space and line break as they can be seen; what has no text, the marker of a call, by name. */
function visible(text: string): string {
  return text === "" ? "⟨call⟩" : text.replaceAll(" ", "·").replaceAll("\n", "⏎");
}
