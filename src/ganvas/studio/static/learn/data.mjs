// Distributions of points in the plane, and how much of one a sample covers.
const SPREAD = 0.05; // standard deviation of a cluster
const NEAR = 0.2; // a sample this close to a cluster belongs to it
const SHARE = 0.25; // of its even share of the samples, with which a cluster counts as found

const ring = (count) => Array.from({ length: count }, (_, n) => [Math.cos((2 * Math.PI * n) / count), Math.sin((2 * Math.PI * n) / count)]);

export const CLUSTERS = {
  ring: ring(8),
  grid: [-1, -0.5, 0, 0.5, 1].flatMap((x) => [-1, -0.5, 0, 0.5, 1].map((y) => [x, y])),
};

export const DISTRIBUTIONS = ["ring", "grid", "spiral", "drawn"];

// One point of a distribution; `drawn` are the points that somebody has drawn.
export function point(name, random, drawn = []) {
  if (name === "spiral") {
    const t = random.uniform();
    const angle = 4 * Math.PI * t;
    return [t * Math.cos(angle) + 0.03 * random.normal(), t * Math.sin(angle) + 0.03 * random.normal()];
  }
  const centres = name === "drawn" ? drawn : CLUSTERS[name];
  if (!centres.length) return [0.3 * random.normal(), 0.3 * random.normal()];
  const [x, y] = centres[random.below(centres.length)];
  const spread = name === "drawn" ? 0.03 : name === "grid" ? SPREAD / 2 : SPREAD;
  return [x + spread * random.normal(), y + spread * random.normal()];
}

// How many clusters have at least a quarter of their even share of the samples near them.
export function found(name, samples) {
  const centres = CLUSTERS[name];
  if (!centres) return null;
  const near = name === "grid" ? NEAR / 2 : NEAR;
  const counts = centres.map(() => 0);
  const all = samples.length / 2;
  for (let n = 0; n < all; n++) {
    centres.forEach(([x, y], c) => {
      if (Math.hypot(samples[2 * n] - x, samples[2 * n + 1] - y) < near) counts[c] += 1;
    });
  }
  return counts.filter((count) => count >= (SHARE * all) / centres.length).length;
}
