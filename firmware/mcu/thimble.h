/*
 * thimble without JavaScript: a request in, the model's tool calls out, on a microcontroller or in WebAssembly.
 *
 *   thimble_model model;
 *   const char *error = thimble_open(&model, pack, packBytes, tools, toolsBytes);
 *   size_t needed = thimble_arena(&model, &limits);
 *   if (!error) error = thimble_call(&model, &limits, arena, needed, request, strlen(request), &answer);
 *
 * Functions return NULL, or what is wrong: "place: expected X, got Y; remedy". Nothing is allocated: pack and tools stay
 * where they are (flash, a mapped file), at multiples of 16; what a call needs is in the arena, at a multiple of 16 too.
 * The pack is any pack with `prompt: "apart"` (runtime/pack/pack.ts draws it), the tools are a file of `thimble tools read`
 * (runtime/kept/file.ts, device.ts). All tools of the file are offered.
 */
#ifndef THIMBLE_H
#define THIMBLE_H

#include <stddef.h>
#include <stdint.h>

/* Bytes within a file. */
typedef struct {
  const uint8_t *at;
  uint32_t bytes;
} thimble_span;

enum { thimble_mostParts = 16, thimble_noTool = 0xffff };

/* What is known of a pack and its tools once they are open; the engine's own. */
typedef struct {
  thimble_span pack, tools;
  uint32_t vocabSize, dModel, nHeads, nKvHeads, nEncoderLayers, nDecoderLayers, headDim, contrastiveDim;
  uint32_t contrastiveHidden, toolAt, copies;
  uint32_t sectionsAt;    /* of the embedding, in the pack */
  uint32_t sectionSums;   /* of the header's checksums, in the pack */
  uint32_t encoderBytes, crossBytes, decoderBytes, normsBytes, tableBytes, contrastiveBytes;
  uint32_t nTools, toolRows;  /* rows in whole octets, of all tools together */
  uint32_t nOrdered, longestPiece, positions, nAtoms, nUnions;
  double leanTool, leanNone;    /* what the head's scores count in the choice of the first call; 0 for nothing */
  double leanWord, leanNumber;  /* the same of the scores of words, and what a number costs that nobody said */
  thimble_span parts[thimble_mostParts];
} thimble_model;

typedef struct {
  uint16_t requestTokens;  /* most tokens of a request, whose text as read has as many times 8 bytes, and 16, at most */
  uint16_t answerTokens;   /* most tokens of an answer */
  uint8_t cacheBits;       /* of keys and values: 16 as in the runtime, to its tokens; 8 for half the memory */
} thimble_limits;

/* From the most careful: what the caller should do with a call. Source: runtime/answer/decision.ts. */
enum { thimble_ask, thimble_confirm, thimble_act, thimble_none };

/* How sure the model was of a call: over its decided tokens the sum of log-probabilities and the least gap to the second, in logits. */
typedef struct {
  uint16_t tool, runnerUp;  /* by their place in the file; the second thimble_noTool for none */
  float nameLogProb, nameMargin, callLogProb, callMargin;  /* margins INFINITY where nothing was left open */
  float confidence;         /* that the call is right, 0 … 1, by the pack's calibration */
  uint16_t ungrounded;      /* values that neither the request nor the schema accounts for */
  uint16_t decision;
} thimble_sureness;

/* What a call came to; it stands in the arena until the next. */
typedef struct {
  const uint16_t *tokens;
  uint32_t nTokens;
  const char *json;  /* [{"name":"setTimer","arguments":{…}}, …] with the tools' own names; ends in a zero */
  uint32_t jsonBytes;
  const uint8_t *calls;  /* the same as msgpack, as packCalls writes it (runtime/wire/WIRE.md), tools by their names' order */
  uint32_t callsBytes;
  uint32_t nCalls;
  const thimble_sureness *sure;  /* of each call */
  uint32_t decision;             /* the most careful of theirs; none without calls */
  uint32_t requestTokens;  /* rows of the prefill */
  uint32_t decisions;      /* tokens that logits decided */
  uint8_t cutShort;        /* the limit of tokens came first: a valid way out closed the answer */
} thimble_answer;

/* Reads the heads of both files, and checks all that a call will follow. */
const char *thimble_open(thimble_model *model, const void *pack, size_t packBytes, const void *tools, size_t toolsBytes);

/* Checks the checksum of every byte of weights and tools: some two instructions a byte, once after an update. */
const char *thimble_check(const thimble_model *model);

/* Bytes of arena that a call within these limits needs at least; 0 where limits are none. */
size_t thimble_arena(const thimble_model *model, const thimble_limits *limits);

/* Bytes with which a call computes nothing twice; with any number between the two it answers the same. */
size_t thimble_arena_most(const thimble_model *model, const thimble_limits *limits);

/* Answers a request (UTF-8), as people type it. */
const char *thimble_call(const thimble_model *model, const thimble_limits *limits, void *arena, size_t arenaBytes,
                         const char *request, size_t requestBytes, thimble_answer *answer);

#endif
