/*
 * What PyTorch's CPU kernels do in many passes, done in one: norms, RoPE, attention over rows wherever they lie, cross-entropy.
 * All is float32, matrices are row by row, `_at` and `_width` count floats. Sums go on in the caller's order: the same input gives the same bits.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef float v8 __attribute__((vector_size(32), aligned(4)));
typedef long long i64;

enum { ROWS = 6, COLUMNS = 16, BLOCK = 48 }; /* of a tile of a product; query rows of one head group at a time */

/* c (m, 16) = or += a b: a[i, p] at a[i·ai + p·ap], b[p, …] at b[p·bp] */
#define TILE(M)                                                                                                                                    \
  static void tile##M(i64 k, const float *a, i64 ai, i64 ap, const float *b, i64 bp, float *c, i64 cw, int add) {                                  \
    v8 left[M], right[M];                                                                                                                          \
    _Pragma("GCC unroll 6") for (int i = 0; i < M; i++) left[i] = add ? *(const v8 *)(c + i * cw) : (v8){0}, right[i] = add ? *(const v8 *)(c + i * cw + 8) : (v8){0};     \
    for (i64 p = 0; p < k; p++) {                                                                                                                  \
      v8 b0 = *(const v8 *)(b + p * bp), b1 = *(const v8 *)(b + p * bp + 8);                                                                       \
      _Pragma("GCC unroll 6") for (int i = 0; i < M; i++) left[i] += b0 * a[i * ai + p * ap], right[i] += b1 * a[i * ai + p * ap];                                         \
    }                                                                                                                                              \
    _Pragma("GCC unroll 6") for (int i = 0; i < M; i++) *(v8 *)(c + i * cw) = left[i], *(v8 *)(c + i * cw + 8) = right[i];                                                 \
  }
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)

static void (*const tiles[])(i64, const float *, i64, i64, const float *, i64, float *, i64, int) = {0, tile1, tile2, tile3, tile4, tile5, tile6};

/* c (m, n) = or += a (m, k) b (k, n), n in sixteens, b[p, j] at b[(j / 16)·panel + p·bp + j % 16] */
static void product(i64 m, i64 n, i64 k, const float *a, i64 ai, i64 ap, const float *b, i64 panel, i64 bp, float *c, i64 cw, int add) {
  for (i64 j = 0; j < n; j += COLUMNS)
    for (i64 i = 0; i < m; i += ROWS)
      tiles[m - i < ROWS ? m - i : ROWS](k, a + i * ai, ai, ap, b + j / COLUMNS * panel, bp, c + i * cw + j, cw, add);
}

/* y (rows, d) = (1 + gain) x / sqrt(mean(x²) + 1e-6) */
void norm_forward(i64 rows, i64 d, const float *x, const float *gain, float *y) {
  for (i64 n = 0; n < rows; n++, x += d, y += d) {
    float sum = 0;
    for (i64 i = 0; i < d; i++) sum += x[i] * x[i];
    float r = 1 / sqrtf(sum / d + 1e-6f);
    for (i64 i = 0; i < d; i++) y[i] = x[i] * r * (1 + gain[i]);
  }
}

/* dy -> dx, and dgain added up */
void norm_backward(i64 rows, i64 d, const float *x, const float *gain, const float *dy, float *dx, float *dgain) {
  for (i64 n = 0; n < rows; n++, x += d, dx += d, dy += d) {
    float sum = 0, dot = 0;
    for (i64 i = 0; i < d; i++) sum += x[i] * x[i], dot += dy[i] * (1 + gain[i]) * x[i];
    float r = 1 / sqrtf(sum / d + 1e-6f), mean = dot * r * r / d;
    for (i64 i = 0; i < d; i++) dgain[i] += dy[i] * x[i] * r, dx[i] = (dy[i] * (1 + gain[i]) - x[i] * mean) * r;
  }
}

/*
 * y (rows, width) holds heads of c: `first` of them normed by gain, `second` by gain + c, the rest left as they are.
 * The normed ones are turned by cos and sin (rows, c / 2), in split halves, unless these are null.
 */
void heads_forward(i64 rows, i64 width, i64 c, i64 first, i64 second, const float *y, const float *gain, const float *cos, const float *sin, float *out) {
  i64 half = c / 2;
  for (i64 n = 0; n < rows; n++, y += width, out += width) {
    for (i64 h = 0; h < first + second; h++) {
      float *o = out + h * c;
      norm_forward(1, c, y + h * c, h < first ? gain : gain + c, o);
      if (cos)
        for (i64 i = 0; i < half; i++) {
          float a = o[i], b = o[i + half], co = cos[n * half + i], si = sin[n * half + i];
          o[i] = a * co - b * si, o[i + half] = b * co + a * si;
        }
    }
    i64 normed = (first + second) * c;
    memcpy(out + normed, y + normed, (width - normed) * sizeof *y);
  }
}

void heads_backward(i64 rows, i64 width, i64 c, i64 first, i64 second, const float *y, const float *gain, const float *cos, const float *sin, const float *dout, float *dy, float *dgain) {
  i64 half = c / 2;
  float d[c];
  for (i64 n = 0; n < rows; n++, y += width, dout += width, dy += width) {
    for (i64 h = 0; h < first + second; h++) {
      memcpy(d, dout + h * c, c * sizeof *d);
      if (cos)
        for (i64 i = 0; i < half; i++) {
          float a = d[i], b = d[i + half], co = cos[n * half + i], si = sin[n * half + i];
          d[i] = a * co + b * si, d[i + half] = b * co - a * si;
        }
      i64 which = h < first ? 0 : c;
      norm_backward(1, c, y + h * c, gain + which, d, dy + h * c, dgain + which);
    }
    i64 normed = (first + second) * c;
    memcpy(dy + normed, dout + normed, (width - normed) * sizeof *y);
  }
}

/*
 * Attention of many small parts: part p has the query rows query[query_from[p] … query_from[p + 1]) of q and the key rows key[key_from[p] … key_from[p + 1]) of kv.
 * A query row holds kv_heads · r heads of c from q_at on; a key row kv_heads keys of c from k_at on, then as many values. r neighbours share one KV head.
 * Where `causal`, a part's query sees the keys up to its own number. No part is without keys; a row of q belongs to one part.
 */
typedef struct {
  i64 parts, kv_heads, r, c, causal;
  const int *query, *query_from, *key, *key_from;
  const float *q, *kv;
  i64 q_width, q_at, kv_width, k_at;
} Attention;

typedef struct {
  float *k, *v, *kt, *vt; /* one KV head: rows (S, c), and panels of 16 keys (S / 16, c, 16) */
  float *dk, *dv;
  float *q, *p, *dp, *o, *d; /* of a block of queries */
} Room;

static i64 wide(i64 keys) { return (keys + COLUMNS - 1) / COLUMNS * COLUMNS; }

static float *room(const Attention *a, Room *t) {
  i64 most = 0;
  for (i64 p = 0; p < a->parts; p++) {
    i64 s = wide(a->key_from[p + 1] - a->key_from[p]);
    most = s > most ? s : most;
  }
  i64 rows = BLOCK * a->r, sizes[] = {most * a->c, most * a->c, most * a->c, most * a->c, most * a->c, most * a->c, rows * a->c, rows * most, rows * most, rows * a->c, rows * a->c}, all = 0;
  for (int i = 0; i < 11; i++) all += sizes[i];
  float *memory = calloc(all, sizeof *memory), **at[] = {&t->k, &t->v, &t->kt, &t->vt, &t->dk, &t->dv, &t->q, &t->p, &t->dp, &t->o, &t->d}, *next = memory;
  for (int i = 0; memory && i < 11; i++) *at[i] = next, next += sizes[i];
  return memory;
}

/* rows (s, c) of a table -> panels (s / 16, c, 16), zeros behind */
static void panels(i64 s, i64 c, const float *rows, float *out) {
  for (i64 j = 0; j < s; j += COLUMNS, out += c * COLUMNS)
    for (i64 l = 0; l < COLUMNS; l++)
      for (i64 i = 0; i < c; i++) out[i * COLUMNS + l] = j + l < s ? rows[(j + l) * c + i] : 0;
}

static void gather(const Attention *a, i64 p, i64 head, Room *t) {
  i64 s = a->key_from[p + 1] - a->key_from[p], c = a->c;
  const int *key = a->key + a->key_from[p];
  for (i64 j = 0; j < s; j++) {
    const float *row = a->kv + key[j] * a->kv_width + a->k_at + head * c;
    memcpy(t->k + j * c, row, c * sizeof *row);
    memcpy(t->v + j * c, row + a->kv_heads * c, c * sizeof *row);
  }
  panels(s, c, t->k, t->kt);
}

/* the r heads of `n` query rows of a table, times scale: (r · n, c) */
static void take(const Attention *a, const int *query, i64 n, const float *table, i64 width, i64 at, float scale, float *out) {
  for (i64 h = 0; h < a->r; h++)
    for (i64 i = 0; i < n; i++) {
      const float *row = table + query[i] * width + at + h * a->c;
      for (i64 j = 0; j < a->c; j++) *out++ = row[j] * scale;
    }
}

static void put(const Attention *a, const int *query, i64 n, const float *rows, float scale, float *table, i64 width, i64 at) {
  for (i64 h = 0; h < a->r; h++)
    for (i64 i = 0; i < n; i++) {
      float *row = table + query[i] * width + at + h * a->c;
      for (i64 j = 0; j < a->c; j++) row[j] = *rows++ * scale;
    }
}

/* out (as q, q_at from 0; rows of no part stay), lse (rows of q, heads): the logarithm of each softmax's sum. -> 0, or 1 without memory */
int attend_forward(const Attention *a, float *out, i64 out_width, float *lse) {
  Room t;
  float *memory = room(a, &t), scale = 1 / sqrtf(a->c);
  if (!memory) return 1;
  for (i64 p = 0; p < a->parts; p++) {
    i64 queries = a->query_from[p + 1] - a->query_from[p], s = a->key_from[p + 1] - a->key_from[p], w = wide(s), c = a->c, heads = a->kv_heads * a->r;
    for (i64 head = 0; head < a->kv_heads; head++) {
      gather(a, p, head, &t);
      for (i64 from = 0; from < queries; from += BLOCK) {
        i64 n = queries - from < BLOCK ? queries - from : BLOCK, m = n * a->r;
        const int *query = a->query + a->query_from[p] + from;
        take(a, query, n, a->q, a->q_width, a->q_at + head * a->r * c, scale, t.q);
        product(m, w, c, t.q, c, 1, t.kt, c * COLUMNS, COLUMNS, t.p, w, 0);
        for (i64 i = 0; i < m; i++) {
          float *row = t.p + i * w, most = row[0], sum = 0;
          i64 seen = a->causal ? from + i % n + 1 : s;
          for (i64 j = 0; j < seen; j++) most = row[j] > most ? row[j] : most;
          for (i64 j = 0; j < seen; j++) row[j] = expf(row[j] - most);
          for (i64 j = 0; j < seen; j++) sum += row[j];
          for (i64 j = 0; j < seen; j++) row[j] *= 1 / sum;
          memset(row + seen, 0, (w - seen) * sizeof *row);
          lse[query[i % n] * heads + head * a->r + i / n] = most + logf(sum);
        }
        product(m, c, s, t.p, w, 1, t.v, COLUMNS, c, t.o, c, 0);
        put(a, query, n, t.o, 1, out, out_width, head * a->r * c);
      }
    }
  }
  free(memory);
  return 0;
}

/* dq and dkv lie as q and kv do: a part's own rows of dq are written, those of dkv added to. -> 0, or 1 without memory */
int attend_backward(const Attention *a, const float *out, const float *lse, const float *dout, i64 out_width, float *dq, float *dkv) {
  Room t;
  float *memory = room(a, &t), scale = 1 / sqrtf(a->c);
  if (!memory) return 1;
  for (i64 p = 0; p < a->parts; p++) {
    i64 queries = a->query_from[p + 1] - a->query_from[p], s = a->key_from[p + 1] - a->key_from[p], w = wide(s), c = a->c, heads = a->kv_heads * a->r;
    const int *key = a->key + a->key_from[p];
    for (i64 head = 0; head < a->kv_heads; head++) {
      gather(a, p, head, &t);
      panels(s, c, t.v, t.vt);
      for (i64 from = 0; from < queries; from += BLOCK) {
        i64 n = queries - from < BLOCK ? queries - from : BLOCK, m = n * a->r, at = head * a->r * c;
        const int *query = a->query + a->query_from[p] + from;
        take(a, query, n, a->q, a->q_width, a->q_at + at, scale, t.q);
        take(a, query, n, out, out_width, at, 1, t.o);
        take(a, query, n, dout, out_width, at, 1, t.d);
        product(m, w, c, t.q, c, 1, t.kt, c * COLUMNS, COLUMNS, t.p, w, 0);
        product(m, w, c, t.d, c, 1, t.vt, c * COLUMNS, COLUMNS, t.dp, w, 0);
        for (i64 i = 0; i < m; i++) {
          float *row = t.p + i * w, *drow = t.dp + i * w, whole = lse[query[i % n] * heads + head * a->r + i / n], dot = 0;
          i64 seen = a->causal ? from + i % n + 1 : s;
          for (i64 j = 0; j < c; j++) dot += t.o[i * c + j] * t.d[i * c + j];
          for (i64 j = 0; j < seen; j++) row[j] = expf(row[j] - whole);
          for (i64 j = 0; j < seen; j++) drow[j] = row[j] * (drow[j] - dot);
          memset(row + seen, 0, (w - seen) * sizeof *row);
          memset(drow + seen, 0, (w - seen) * sizeof *row);
        }
        product(s, c, m, t.p, 1, w, t.d, COLUMNS, c, t.dv, c, from > 0);
        product(s, c, m, t.dp, 1, w, t.q, COLUMNS, c, t.dk, c, from > 0);
        product(m, c, s, t.dp, w, 1, t.k, COLUMNS, c, t.o, c, 0);
        put(a, query, n, t.o, scale, dq, a->q_width, a->q_at + at);
      }
      for (i64 j = 0; queries && j < s; j++) {
        float *row = dkv + key[j] * a->kv_width + a->k_at + head * c;
        for (i64 i = 0; i < c; i++) row[i] += t.dk[j * c + i], row[a->kv_heads * c + i] += t.dv[j * c + i];
      }
    }
  }
  free(memory);
  return 0;
}

/* logits (rows, size), wanted (rows) -> the logarithm of each softmax's sum, what the wanted id costs, the likeliest id */
void entropy_forward(i64 rows, i64 size, const float *logits, const i64 *wanted, float *total, float *cost, i64 *best) {
  for (i64 n = 0; n < rows; n++, logits += size) {
    float most = logits[0], sum = 0;
    for (i64 i = 0; i < size; i++) most = logits[i] > most ? logits[i] : most;
    for (i64 i = 0; i < size; i++) sum += expf(logits[i] - most);
    i64 id = 0;
    while (id + 1 < size && logits[id] != most) id++;
    total[n] = most + logf(sum), cost[n] = total[n] - logits[wanted[n]], best[n] = id;
  }
}

/* logits become their gradient */
void entropy_backward(i64 rows, i64 size, float *logits, const i64 *wanted, const float *total, const float *dtotal, const float *dcost) {
  for (i64 n = 0; n < rows; n++, logits += size) {
    float by = dtotal[n] + dcost[n], whole = total[n];
    for (i64 i = 0; i < size; i++) logits[i] = expf(logits[i] - whole) * by;
    logits[wanted[n]] -= dcost[n];
  }
}
