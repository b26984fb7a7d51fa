/*
 * What PyTorch's CPU kernels do in many passes, done in one: norms, RoPE, attention over rows wherever they lie, cross-entropy.
 * Sums are float32, what is multiplied too, or bf16 (-DBF16); matrices are row by row, `_at` and `_width` count floats. Sums go on in the caller's order: the same input gives the same bits.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef long long i64;

enum { COLUMNS = 16, BLOCK = 48 }; /* of a tile of a product; query rows of one head group at a time */

/*
 * What a product reads lies in cells, of which it multiplies two and adds: a float, or a pair of bf16 that follow one another in the sum,
 * with -DBF16 where the processor has dot products of those.
 */
#if defined BF16 && defined __AVX512BF16__
#include <immintrin.h>
typedef unsigned cell;
typedef __m512 sixteen;
enum { PAIR = 2, ROWS = 12 };

static inline sixteen multiplied(sixteen sum, cell a, const cell *b) {
  return _mm512_dpbf16_ps(sum, (__m512bh)_mm512_set1_epi32(a), (__m512bh)_mm512_loadu_si512(b));
}

/* n floats, in sixteens -> n / PAIR cells: pairs of neighbours */
static void narrow(i64 n, const float *x, cell *out) {
  for (i64 i = 0; i < n; i += 16) _mm256_storeu_si256((__m256i *)(out + i / 2), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + i)));
}

/* two rows of n floats, in sixteens -> n cells: pairs of one number of each */
static void braid(i64 n, const float *low, const float *high, cell *out) {
  for (i64 i = 0; i < n; i += 16) {
    __m512i l = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(low + i)));
    __m512i h = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(high + i)));
    _mm512_storeu_si512(out + i, _mm512_or_si512(l, _mm512_slli_epi32(h, 16)));
  }
}
#else
typedef float cell;
typedef float eight __attribute__((vector_size(32), aligned(4)));
typedef struct { /* of two halves: a vector wider than the processor's lies in memory, at a quarter of the speed */
  eight low, high;
} sixteen;
enum { PAIR = 1, ROWS = 6 };

static inline sixteen multiplied(sixteen sum, cell a, const cell *b) {
  sum.low += a * *(const eight *)b, sum.high += a * *(const eight *)(b + 8);
  return sum;
}

static void narrow(i64 n, const float *x, cell *out) { memcpy(out, x, n * sizeof *x); }
static void braid(i64 n, const float *low, const float *high, cell *out) { (void)high, narrow(n, low, out); }
#endif

/* c (M, 16) = or += a b: cell p of a's row i at a[i·ai + p·ap], those of b at b[p·bp] */
#define TILE(M)                                                                                                          \
  static void tile##M(i64 k, const cell *a, i64 ai, i64 ap, const cell *b, i64 bp, float *c, i64 cw, int add) {          \
    sixteen sum[M];                                                                                                      \
    _Pragma("GCC unroll 12") for (int i = 0; i < M; i++) if (add) memcpy(sum + i, c + i * cw, 64); else sum[i] = (sixteen){0}; \
    for (i64 p = 0; p < k; p++)                                                                                          \
      _Pragma("GCC unroll 12") for (int i = 0; i < M; i++) sum[i] = multiplied(sum[i], a[i * ai + p * ap], b + p * bp);  \
    _Pragma("GCC unroll 12") for (int i = 0; i < M; i++) memcpy(c + i * cw, sum + i, 64);                                \
  }
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6) TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12)

static void (*const tiles[])(i64, const cell *, i64, i64, const cell *, i64, float *, i64, int) = {0, tile1, tile2, tile3, tile4, tile5, tile6, tile7, tile8, tile9, tile10, tile11, tile12};

/* c (m, n) = or += a b of k cells, n in sixteens: cell p of b's column j at b[(j / 16)·panel + p·bp + j % 16] */
static void product(i64 m, i64 n, i64 k, const cell *a, i64 ai, i64 ap, const cell *b, i64 panel, i64 bp, float *c, i64 cw, int add) {
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

/* What one KV head of a part with s keys takes, and one block of its m query rows. m is rounded up to sixteens, with zeros behind the last row. */
typedef struct {
  cell *k, *v, *kb, *vb; /* narrow (s, c / PAIR), braided (s / PAIR, c) */
  float *dk, *dv;        /* (s, c) */
  float *q, *d, *o;      /* (m, c): queries, gradients of what comes out, what comes out */
  cell *qt, *dt;         /* panels (m / 16, c / PAIR, 16) */
  cell *qb, *db;         /* braided (m / PAIR, c) */
  float *p, *dp;         /* (s, m): softmax and its gradient, a column for each query */
  cell *pn, *pb, *dpn, *dpb;
  float *of;   /* (m): a number of each query */
  float *zero; /* a row of them */
} Room;

static i64 rounded(i64 n, i64 to) { return (n + to - 1) / to * to; }

static float *room(const Attention *a, Room *t) {
  i64 keys = 0, queries = 0;
  for (i64 p = 0; p < a->parts; p++) {
    i64 s = a->key_from[p + 1] - a->key_from[p], n = a->query_from[p + 1] - a->query_from[p];
    keys = s > keys ? s : keys, queries = n > queries ? n : queries;
  }
  i64 m = rounded((queries < BLOCK ? queries : BLOCK) * a->r, COLUMNS), key = rounded(keys, PAIR) * a->c, query = m * a->c, pairs = rounded(keys, PAIR) * m, all = 0;
  struct {
    void *at;
    i64 size;
  } parts[] = {
      {&t->k, key},   {&t->v, key},   {&t->kb, key},   {&t->vb, key},   {&t->dk, key},    {&t->dv, key},    {&t->q, query}, {&t->d, query},
      {&t->o, query}, {&t->qt, query}, {&t->dt, query}, {&t->qb, query}, {&t->db, query},  {&t->p, pairs},   {&t->dp, pairs}, {&t->pn, pairs},
      {&t->pb, pairs}, {&t->dpn, pairs}, {&t->dpb, pairs}, {&t->of, m}, {&t->zero, m + a->c},
  };
  enum { PARTS = sizeof parts / sizeof *parts };
  for (int i = 0; i < PARTS; i++) all += parts[i].size;
  float *memory = calloc(all, sizeof *memory), *next = memory;
  for (int i = 0; memory && i < PARTS; i++) *(float **)parts[i].at = next, next += parts[i].size;
  return memory;
}

/* n rows of w floats, those of the numbers `index` where it is given, `stride` apart -> narrow cells (n, w / PAIR), braided ones (n / PAIR, w); null: not these */
static void pack(const Room *t, i64 n, i64 w, const float *rows, i64 stride, const int *index, cell *narrowed, cell *braided) {
  for (i64 j = 0; j < n; j += PAIR) {
    const float *low = rows + (index ? index[j] : j) * stride, *high = j + PAIR > n ? t->zero : rows + (index ? index[j + PAIR - 1] : j + PAIR - 1) * stride;
    if (narrowed) narrow(w, low, narrowed + j * w / PAIR);
    if (narrowed && high != low && high != t->zero) narrow(w, high, narrowed + (j + 1) * w / PAIR);
    if (braided) braid(w, low, high, braided + j / PAIR * w);
  }
}

/* narrow rows (m, k), m in sixteens -> panels (m / 16, k, 16) */
static void panels(i64 m, i64 k, const cell *rows, cell *out) {
  for (i64 i = 0; i < m; i += COLUMNS, out += k * COLUMNS)
    for (i64 l = 0; l < COLUMNS; l++)
      for (i64 p = 0; p < k; p++) out[p * COLUMNS + l] = rows[(i + l) * k + p];
}

/* the r heads of `n` query rows of a table, times scale: (m, c), its panels, and braided, unless that is null */
static void take(const Attention *a, const Room *t, const int *query, i64 n, const float *table, i64 width, i64 at, float scale, float *out, cell *panel, cell *braided) {
  i64 c = a->c, m = rounded(n * a->r, COLUMNS);
  for (i64 i = 0; i < m; i++) {
    const float *row = table + query[i % n] * width + at + i / n * c;
    for (i64 j = 0; j < c; j++) out[i * c + j] = i < n * a->r ? row[j] * scale : 0;
  }
  cell narrowed[c * m / PAIR];
  pack(t, m, c, out, c, 0, narrowed, braided);
  panels(m, c / PAIR, narrowed, panel);
}

static void put(const Attention *a, const int *query, i64 n, const float *rows, float scale, float *table, i64 width, i64 at) {
  for (i64 i = 0; i < n * a->r; i++) {
    float *row = table + query[i % n] * width + at + i / n * a->c;
    for (i64 j = 0; j < a->c; j++) row[j] = *rows++ * scale;
  }
}

/* what no query may see goes far below what it sees */
static void mask(const Attention *a, i64 from, i64 n, i64 s, i64 m, float *p) {
  for (i64 j = 0; a->causal && j < s; j++)
    for (i64 i = 0; i < m; i++)
      if (from + i % n < j) p[j * m + i] = -1e30f;
}

/* out (as q, q_at from 0; rows of no part stay), lse (rows of q, heads): the logarithm of each softmax's sum. -> 0, or 1 without memory */
int attend_forward(const Attention *a, float *out, i64 out_width, float *lse) {
  Room t;
  float *memory = room(a, &t), scale = 1 / sqrtf(a->c);
  if (!memory) return 1;
  for (i64 p = 0; p < a->parts; p++) {
    i64 queries = a->query_from[p + 1] - a->query_from[p], s = a->key_from[p + 1] - a->key_from[p], c = a->c, heads = a->kv_heads * a->r;
    const int *key = a->key + a->key_from[p];
    for (i64 head = 0; head < a->kv_heads; head++) {
      const float *keys = a->kv + a->k_at + head * c;
      pack(&t, s, c, keys, a->kv_width, key, t.k, 0);
      pack(&t, s, c, keys + a->kv_heads * c, a->kv_width, key, 0, t.vb);
      for (i64 from = 0; from < queries; from += BLOCK) {
        i64 n = queries - from < BLOCK ? queries - from : BLOCK, m = rounded(n * a->r, COLUMNS), at = head * a->r * c;
        const int *query = a->query + a->query_from[p] + from;
        take(a, &t, query, n, a->q, a->q_width, a->q_at + at, scale, t.q, t.qt, 0);
        product(s, m, c / PAIR, t.k, c / PAIR, 1, t.qt, c / PAIR * COLUMNS, COLUMNS, t.p, m, 0);
        mask(a, from, n, s, m, t.p);
        float most[m], sum[m];
        for (i64 i = 0; i < m; i++) most[i] = t.p[i], sum[i] = 0;
        for (i64 j = 1; j < s; j++)
          for (i64 i = 0; i < m; i++) most[i] = t.p[j * m + i] > most[i] ? t.p[j * m + i] : most[i];
        for (i64 j = 0; j < s; j++)
          for (i64 i = 0; i < m; i++) {
            float e = expf(t.p[j * m + i] - most[i]);
            t.p[j * m + i] = e, sum[i] += e;
          }
        for (i64 i = 0; i < n * a->r; i++) lse[query[i % n] * heads + head * a->r + i / n] = most[i] + logf(sum[i]);
        pack(&t, s, m, t.p, m, 0, 0, t.pb);
        product(m, c, rounded(s, PAIR) / PAIR, t.pb, 1, m, t.vb, COLUMNS, c, t.o, c, 0);
        for (i64 i = 0; i < m; i++)
          for (i64 j = 0; j < c; j++) t.o[i * c + j] /= sum[i];
        put(a, query, n, t.o, 1, out, out_width, at);
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
    i64 queries = a->query_from[p + 1] - a->query_from[p], s = a->key_from[p + 1] - a->key_from[p], c = a->c, heads = a->kv_heads * a->r;
    const int *key = a->key + a->key_from[p];
    for (i64 head = 0; head < a->kv_heads; head++) {
      const float *keys = a->kv + a->k_at + head * c;
      pack(&t, s, c, keys, a->kv_width, key, t.k, t.kb);
      pack(&t, s, c, keys + a->kv_heads * c, a->kv_width, key, t.v, 0);
      for (i64 from = 0; from < queries; from += BLOCK) {
        i64 n = queries - from < BLOCK ? queries - from : BLOCK, m = rounded(n * a->r, COLUMNS), at = head * a->r * c;
        const int *query = a->query + a->query_from[p] + from;
        take(a, &t, query, n, out, out_width, at, 1, t.o, t.dt, 0);
        take(a, &t, query, n, dout, out_width, at, 1, t.d, t.dt, t.db);
        take(a, &t, query, n, a->q, a->q_width, a->q_at + at, scale, t.q, t.qt, t.qb);
        float whole[m], dot[m];
        for (i64 i = 0; i < m; i++) {
          whole[i] = i < n * a->r ? lse[query[i % n] * heads + head * a->r + i / n] : 1e30f, dot[i] = 0;
          for (i64 j = 0; j < c; j++) dot[i] += t.o[i * c + j] * t.d[i * c + j];
        }
        product(s, m, c / PAIR, t.k, c / PAIR, 1, t.qt, c / PAIR * COLUMNS, COLUMNS, t.p, m, 0);
        product(s, m, c / PAIR, t.v, c / PAIR, 1, t.dt, c / PAIR * COLUMNS, COLUMNS, t.dp, m, 0);
        mask(a, from, n, s, m, t.p);
        for (i64 j = 0; j < s; j++)
          for (i64 i = 0; i < m; i++) {
            float e = expf(t.p[j * m + i] - whole[i]);
            t.p[j * m + i] = e, t.dp[j * m + i] = e * (t.dp[j * m + i] - dot[i]);
          }
        pack(&t, s, m, t.p, m, 0, t.pn, 0);
        pack(&t, s, m, t.dp, m, 0, t.dpn, t.dpb);
        product(s, c, m / PAIR, t.pn, m / PAIR, 1, t.db, COLUMNS, c, t.dv, c, from > 0);
        product(s, c, m / PAIR, t.dpn, m / PAIR, 1, t.qb, COLUMNS, c, t.dk, c, from > 0);
        product(m, c, rounded(s, PAIR) / PAIR, t.dpb, 1, m, t.kb, COLUMNS, c, t.o, c, 0);
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
