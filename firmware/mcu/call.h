/* One call: what it works in, from the request's text to the answer's. */
#ifndef THIMBLE_CALL_H
#define THIMBLE_CALL_H

#include "copy.h"
#include "engine.h"
#include "numbers.h"

/* Numbers that a request says, and two beside them: the most and the least that a schema takes. */
enum { mostSaid = 24, allSaid = mostSaid + 2, mostNumbers = 32 };

/* A number of the request, and its unit. */
typedef struct {
  int64_t millionths;
  uint16_t start, end; /* where the request says it, of what is no time of day */
  uint8_t unit;
  uint8_t clock;     /* of the hour or minute of a time of day, the unit of the keys that it may stand under */
  bool inWords, isCut;
  bool isTold;       /* it tells a time of day, whose hour and minute stand by themselves */
  bool isPart;       /* of a length in several units, "an hour and 5 minutes", which is said beside it as one */
  bool isChange;     /* by how much, which is no level */
  bool mayFall;      /* it may be less than nothing */
  bool isOfVessels;  /* it counts cups or the like, which hold nobody knows how much */
  bool isOther;      /* what stands before it is meant instead where that fits: 20 for the 8 of "8 pm" */
  uint8_t bound;     /* asks_most or asks_least: in millionths what the schema takes at that, or inexact */
} said;

enum { mostProperties = 32, mostValues = 64 };

/* The arguments of a call as far as they are written: which keys, by property, and where a string stands. */
typedef struct {
  uint32_t keys, nKeys, begun;  /* bits of properties; all keys; the property of the first that a piece brings */
  uint32_t property, string;    /* of the key of what stands or comes here; where the open string begins, of the answer */
  uint64_t written;             /* bits of the enum's values that the open list has */
  uint16_t depth;               /* lists and objects that are open within */
  uint16_t inList;              /* 1 where the outermost of them is a list, else 0 */
  bool hasKey, inString, isEscaped, isClosed;
} arguments;

/* What the request says of the enums of the tool that is open: bits of values, and of properties. */
typedef struct {
  uint64_t values[mostProperties], allowed[mostProperties];  /* said; and of those that have a word in another form */
  uint32_t all, alone;    /* that have some said; one, which a call may do without */
  uint32_t ordered, whole;  /* lists that have them in their order; of days that hold them all */
  uint32_t group;         /* bits of days that the request says together */
  bool isTurned;          /* it takes something back, or out */
  uint32_t leftOf;        /* of a property, values that are left, and the first of them in its order */
  uint64_t left, first;
  uint32_t some, due;     /* of which that still counts; that this call must not leave out */
  uint32_t owed, owedFrom, owedKeys;  /* by the call that its price alone kept open: where it begins, keys before it went on */
  uint32_t from;          /* where the call begins */
  const uint8_t *schema;  /* of the tool's arguments; NULL before the first */
  arguments before;
} enums;

/* A token that logits decided, and where it begins in the answer's text. */
typedef struct {
  uint16_t start, second;
  float logProb, margin;
} decided;

typedef struct {
  const thimble_model *m;
  engine engine;
  uint32_t answerTokens, mostText;  /* of an answer: tokens, bytes */
  uint32_t mostRequest;             /* bytes of a request as read */
  uint8_t *request;
  uint32_t requestBytes;
  words words;
  token_work work;
  uint16_t *ids, *otherIds;         /* as many as an answer or a request has at most, and one; otherIds as scratch */
  uint8_t *text;                    /* of the answer */
  uint32_t textBytes;
  uint8_t *scratch;                 /* of texts on their way to tokens, mostText and a piece; in the engine's memory, as work */
  uint16_t *tokens;
  uint32_t nTokens, decoded;        /* those that have been through the decoder, with the one that starts it */
  uint16_t *callEnds;               /* bytes of the answer where calls have ended */
  uint32_t nCalls, decisions, nSteps;
  decided *steps;                   /* those of the decisions that stand in the answer */
  uint32_t *mask;
  double *leans;                    /* of each tool and of none, in logits; NULL where nothing leans */
  double mostLean;                  /* of what the mask allows */
  uint8_t *found;                   /* of each tool, what a word counts for it; NULL where words do not */
  said *said;
  uint32_t nSaid;
  uint8_t fitting[allSaid];         /* bits of what each may stand for here */
  int64_t reached[4];               /* bounds of numbers that this answer began, where the request asks for one way alone and says no number */
  uint32_t nReached, boundsAt;      /* boundsAt: where the number of the answer begins whose bounds were found last */
  enums *enums;                     /* as `said` NULL where what is not said costs nothing */
  bool pricesNumbers, pricesEnums;  /* here */
  place *place, *after;
  uint8_t *stack;                   /* places by depth within a piece, in the place of scratch and work */
} call;

/* Lays a call out in the arena (NULL to measure), with bytes to spare; returns bytes, 0 where limits are none. */
uint32_t call_plan(call *c, const thimble_model *m, const thimble_limits *limits, uint32_t spare, uint8_t *arena);

/* The only loop: writes an answer under the grammar. Source: runtime/answer/answer.ts. */
const char *write_answer(call *c, bool *cutShort);

/* Rates the tools by the contrastive head and by words, for the choice of the first call. Source: runtime/answer/lean.ts. */
void rate_tools(call *c, uint32_t n);

/* What the ids of the mask gain after the answer's text so far; false where nothing leans any more. */
bool find_gain(call *c, gain *gain);

/* Scores of the tools by the request's words, into `scores`. Source: runtime/tools/words.ts. */
void rank_by_words(call *c, double *scores);

/* Reads what is a slip of the thumb as the tools' word, in c->request. Source: runtime/tools/mend.ts. */
void mend_request(call *c);

/* The next word of a text, from `at` on, which moves to it: its bytes, of a long one the first; 0 at the end. */
uint32_t next_word(const uint8_t *text, uint32_t bytes, uint32_t *at, uint32_t *after);

/* Whether a word in small letters says nothing. */
bool is_common(const uint8_t *word, uint32_t bytes);

/* UTF-16 units, as JavaScript counts them. */
uint32_t units_in(const uint8_t *text, uint32_t bytes);

/* Of a word that begins another and is no stub. */
enum { leastStem = 4 };

/* Bytes of a word without an "s" at its end. */
uint32_t stem(thimble_span word);

/* A word of the request from a place on, which moves to it and, past the word, `after`. */
thimble_span request_word(const call *c, uint32_t *at, uint32_t *after);

/* The day that a word names, 0 for Monday, with or without its end and an "s". Source: runtime/text/days.ts. */
enum { noDay = 7 };
uint32_t day_of(thimble_span word, uint32_t least);

/* Whether a word takes something back, or out. */
bool is_turn(thimble_span word);

/* Bits of the days of a group that the request says, "weekdays", without those that it takes out; 0 for none, `unsureDays` where something is taken back. */
enum { allDays = 127, unsureDays = 256 };
uint32_t group_in(const call *c);

/* The numbers of the request, and the bounds that it asks for, into c->said. Source: runtime/answer/said.ts. */
void find_figures(call *c);

/* Places of a request, those that are no single argument's beyond its end; what is more than `most` is not told apart. */
typedef struct {
  uint32_t n, at[40];
  uint32_t end;      /* of the last in the request */
  bool isTime;
} places;
void add_place(places *p, uint32_t at, uint32_t end);

/* Adds where the request says what comes to a number under a key, as "two minutes" to 120 under "seconds", or "full volume" to the most. */
void add_places(const call *c, thimble_span key, double value, places *p);

/* Whether a number of the request counts another unit than a key of its kind: 30 of "30 seconds" under "minutes". */
bool counts_other(const call *c, thimble_span key, const said_number *number);

/* What the ids of the mask lose that lead to numbers, or past values of enums, which the request says; false where none does. */
bool find_price(call *c, gain *gain);

/* Finds what the request says of the open call's enums; false where that is nothing. Source: runtime/answer/enums.ts. */
bool find_enums(call *c);

/* How many prices an id costs that leads past what the request says of enums. */
double enum_prices(const call *c, uint32_t id);

/* Notes which id was chosen, and which would have been without prices. */
void note_choice(const call *c, uint32_t id, uint32_t plain);

/* A byte of the answer's text with a piece behind it. */
static inline uint8_t byte_with(const call *c, thimble_span piece, uint32_t at) {
  return at < c->textBytes ? c->text[at] : piece.at[at - c->textBytes];
}

/* Which ids may follow a place, into c->mask; returns how many, and one of them. */
uint32_t allowed(call *c, const place *p, uint32_t *some);

/* Ids that can only be so after a place, into c->ids; c->after is the place after them. At most `most`, else none. */
uint32_t forced(call *c, const place *p, uint32_t most);

/* The ids of a short way to a valid end, into c->ids; more than `room` where there is none so short. */
uint32_t finish(call *c, const state *s, uint32_t room);

/* Whether the call that ends last in the answer is one more than the request asks for. Source: runtime/answer/repeat.ts. */
bool is_repeated(const call *c);

/* Ends of the call that ended i-th: its text without the bracket or comma before. */
thimble_span call_text(const call *c, uint32_t i);

/* Where a text goes on after another that stands at `at`, letter case aside; 0 where it does not stand there. */
uint32_t end_of_part(thimble_span text, uint32_t at, thimble_span part);

/* Whether the request holds a text, letter case aside. */
bool is_in_request(const call *c, thimble_span text);

/* The tool that a call's text names. */
uint32_t tool_of(const thimble_model *m, thimble_span text);

/* The byte of a call of a tool at a place of its beginning, -1 past its name. */
int call_byte(const thimble_model *m, uint32_t tool, uint32_t at);

/* How sure each call is, and what to do with it; returns the most careful decision. Source: runtime/answer/decision.ts. */
uint32_t rate_calls(call *c, bool cutShort, thimble_sureness *sure);

/* Writes the answer's calls as JSON and as msgpack into the engine's memory, which has done its work. */
const char *write_result(call *c, thimble_answer *answer);

#endif
