/* SPDX-License-Identifier: Apache-2.0 */
#include "sha256_pair.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"

#define BLOCK 64
#define LANES 2

#ifdef __x86_64__

#include <cpuid.h>
#include <immintrin.h>

static const uint32_t constants[64] __attribute__((aligned(16))) = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static bool ask_processor(void)
{
	unsigned int a, b, c, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_SSSE3) || !(c & bit_SSE4_1))
		return false;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

/* Asked once: in a virtual machine the instruction leaves the guest, which costs as much as many blocks. */
bool sha256_pair_supported(void)
{
	static atomic_int known;	/* 0: not yet, 1: no, 2: yes */
	int answer = atomic_load(&known);

	if (answer == 0) {
		answer = ask_processor() ? 2 : 1;
		atomic_store(&known, answer);
	}
	return answer == 2;
}

/* The instructions want the eight words as (a b e f) and (c d g h). */
struct words {
	__m128i abef, cdgh;
};

__attribute__((target("sha,sse4.1"))) static struct words load(const uint32_t *state)
{
	__m128i abcd = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
	__m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);

	return (struct words){ _mm_alignr_epi8(abcd, efgh, 8), _mm_blend_epi16(efgh, abcd, 0xf0) };
}

__attribute__((target("sha,sse4.1"))) static void store(const struct words *w, uint32_t *state)
{
	__m128i feba = _mm_shuffle_epi32(w->abef, 0x1b), dchg = _mm_shuffle_epi32(w->cdgh, 0xb1);

	_mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* The next four words of the message schedule, in place of the oldest four. */
#define SCHEDULE(w, group) \
	_mm_sha256msg2_epu32( \
		_mm_add_epi32(_mm_sha256msg1_epu32((w)[(group) % 4], (w)[((group) + 1) % 4]), \
			      _mm_alignr_epi8((w)[((group) + 3) % 4], (w)[((group) + 2) % 4], 4)), \
		(w)[((group) + 3) % 4])

/*
 * `lanes` is a constant where this is inlined, and the loops are unrolled: only then are the words of the
 * schedule registers, and the lanes' rounds lie next to each other.
 */
__attribute__((target("sha,sse4.1"), always_inline)) static inline void
compress(uint32_t *const states[LANES], const uint8_t *const data[LANES], size_t blocks, const int lanes)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	struct words now[LANES], before[LANES];
	__m128i w[LANES][4], k, m;

	for (int l = 0; l < lanes; l++)
		now[l] = load(states[l]);
	for (size_t block = 0; block < blocks; block++) {
		memcpy(before, now, sizeof(before[0]) * (size_t)lanes);
#pragma GCC unroll 16
		for (int group = 0; group < 16; group++) {
			k = _mm_load_si128((const __m128i *)&constants[4 * group]);
#pragma GCC unroll 2
			for (int l = 0; l < lanes; l++) {
				const uint8_t *p = data[l] + block * BLOCK + 16 * (group % 4);

				m = group < 4 ? _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p), big_endian) :
						SCHEDULE(w[l], group);
				w[l][group % 4] = m;
				m = _mm_add_epi32(m, k);
				now[l].cdgh = _mm_sha256rnds2_epu32(now[l].cdgh, now[l].abef, m);
				m = _mm_shuffle_epi32(m, 0x0e);
				now[l].abef = _mm_sha256rnds2_epu32(now[l].abef, now[l].cdgh, m);
			}
		}
		for (int l = 0; l < lanes; l++) {
			now[l].abef = _mm_add_epi32(now[l].abef, before[l].abef);
			now[l].cdgh = _mm_add_epi32(now[l].cdgh, before[l].cdgh);
		}
	}
	for (int l = 0; l < lanes; l++)
		store(&now[l], states[l]);
}

__attribute__((target("sha,sse4.1"))) static void compress_one(uint32_t *state, const uint8_t *data,
							      size_t blocks)
{
	compress((uint32_t *const[LANES]){ state }, (const uint8_t *const[LANES]){ data }, blocks, 1);
}

__attribute__((target("sha,sse4.1"))) static void
compress_pair(uint32_t *a_state, const uint8_t *a, uint32_t *b_state, const uint8_t *b, size_t blocks)
{
	compress((uint32_t *const[LANES]){ a_state, b_state }, (const uint8_t *const[LANES]){ a, b }, blocks, 2);
}

#else

bool sha256_pair_supported(void)
{
	return false;
}

static void compress_one(uint32_t *state, const uint8_t *data, size_t blocks)
{
	(void)state;
	(void)data;
	(void)blocks;
	abort();
}

static void compress_pair(uint32_t *a_state, const uint8_t *a, uint32_t *b_state, const uint8_t *b,
			  size_t blocks)
{
	(void)b_state;
	(void)b;
	compress_one(a_state, a, blocks);
}

#endif

void sha256_init(struct sha256 *s)
{
	*s = (struct sha256){
		.state = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
			   0x5be0cd19 },
	};
}

/* Bytes that go to the tail before whole blocks can follow. */
static size_t to_tail(const struct sha256 *s, size_t size)
{
	size_t used = s->size % BLOCK, room = used ? BLOCK - used : 0;

	return size < room ? size : room;
}

static void add_to_tail(struct sha256 *s, const uint8_t *data, size_t size)
{
	if (size)
		memcpy(s->tail + s->size % BLOCK, data, size);
	s->size += size;
}

void sha256_add(struct sha256 *s, const uint8_t *data, size_t size)
{
	size_t first = to_tail(s, size), blocks = (size - first) / BLOCK, last = (size - first) % BLOCK;

	add_to_tail(s, data, first);
	if (first && s->size % BLOCK == 0)
		compress_one(s->state, s->tail, 1);
	compress_one(s->state, data + first, blocks);
	s->size += blocks * BLOCK;
	add_to_tail(s, data + size - last, last);
}

void sha256_add_pair(struct sha256 *a, const uint8_t *a_data, struct sha256 *b, const uint8_t *b_data,
		     size_t size)
{
	size_t first = to_tail(a, size), blocks = (size - first) / BLOCK, last = (size - first) % BLOCK;

	add_to_tail(a, a_data, first);
	add_to_tail(b, b_data, first);
	if (first && a->size % BLOCK == 0)
		compress_pair(a->state, a->tail, b->state, b->tail, 1);
	compress_pair(a->state, a_data + first, b->state, b_data + first, blocks);
	a->size += blocks * BLOCK;
	b->size += blocks * BLOCK;
	add_to_tail(a, a_data + size - last, last);
	add_to_tail(b, b_data + size - last, last);
}

void sha256_digest(const struct sha256 *s, uint8_t ret[static 32])
{
	uint8_t end[2 * BLOCK] = { 0 };
	size_t used = s->size % BLOCK, size = used < BLOCK - 8 ? BLOCK : 2 * BLOCK;
	uint32_t state[8];

	memcpy(end, s->tail, used);
	end[used] = 0x80;
	write_be32(end + size - 8, (uint32_t)(s->size >> 29));
	write_be32(end + size - 4, (uint32_t)(s->size << 3));
	memcpy(state, s->state, sizeof(state));
	compress_one(state, end, size / BLOCK);
	for (int i = 0; i < 8; i++)
		write_be32(ret + 4 * i, state[i]);
}
