// A sequence of reads in which few keys are hot and many are read once, as Zipf's law says of assets.

/** 32 bits of a linear congruential generator (Numerical Recipes). */
const MULTIPLIER = 1_664_525;
const INCREMENT = 1_013_904_223;
const MODULUS = 2 ** 32;

/**
 * The indices of the keys that are read, the hottest key being 0. The same seed returns the same sequence.
 * @param keys the number of keys; the k-th is read with a probability in proportion to 1/k
 */
export function zipfReads(keys: number, reads: number, seed = 1): readonly number[] {
  const sums: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= keys; rank += 1) {
    total += 1 / rank;
    sums.push(total);
  }
  let state = seed;
  return Array.from({ length: reads }, () => {
    state = (state * MULTIPLIER + INCREMENT) % MODULUS;
    const point = (state / MODULUS) * total;
    return sums.findIndex((sum) => point < sum);
  });
}
