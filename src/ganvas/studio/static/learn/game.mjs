// The game of two networks on points: the two steps of a GAN, as in the lesson's notebook.
import { point } from "./data.mjs";
import { Adam, Network } from "./network.mjs";
import { Random } from "./random.mjs";

export const SEED = 3; // with which all problems show
export const BATCH = 128;
const HIDDEN = 48;
const SHOWN = 400; // points in a picture, of each kind
const KEPT = 600; // losses

// Settings that the page changes: learning rates, discriminator steps for each of the generator,
// and the loss below which the discriminator rests.
export const SUITABLE = { lrG: 2e-3, lrD: 2e-3, stepsD: 1, restBelow: 0 };

// What causes each problem, and what cures it, each from a new start; tests check both.
export const PROBLEMS = {
  collapse: { cause: { ...SUITABLE, lrG: 5e-3, lrD: 2e-4 }, cure: SUITABLE },
  strong: {
    cause: { lrG: 5e-4, lrD: 1e-2, stepsD: 5, restBelow: 0 },
    cure: { lrG: 5e-4, lrD: 1e-2, stepsD: 5, restBelow: 0.6 },
  },
  fast: { cause: { ...SUITABLE, lrG: 0.3, lrD: 0.3 }, cure: SUITABLE },
};

const softplus = (x) => (x > 30 ? x : Math.log1p(Math.exp(x)));
const sigmoid = (x) => 1 / (1 + Math.exp(-x));

export class Game {
  constructor(distribution, seed = SEED, drawn = []) {
    this.random = new Random(seed);
    this.distribution = distribution;
    this.drawn = drawn;
    this.generator = new Network([2, HIDDEN, HIDDEN, 2], this.random);
    this.discriminator = new Network([2, HIDDEN, HIDDEN, 1], this.random);
    this.optimizers = { g: new Adam(this.generator), d: new Adam(this.discriminator) };
    this.latents = this.noise(SHOWN); // the same for every picture
    this.see();
    this.losses = { d: [], g: [] };
    this.steps = 0;
    this.rested = 0;
    this.lossD = Math.log(2);
  }

  noise(count) {
    return Float64Array.from({ length: 2 * count }, () => this.random.normal());
  }

  // Draw the real points of a picture anew.
  see() {
    this.shown = this.real(SHOWN);
  }

  real(count) {
    const points = new Float64Array(2 * count);
    for (let n = 0; n < count; n++) points.set(point(this.distribution, this.random, this.drawn), 2 * n);
    return points;
  }

  // The first step: real points are labelled 1, generated ones 0; the generator stays as it is.
  stepDiscriminator(settings) {
    const real = this.real(BATCH);
    const fake = this.generator.forward(this.noise(BATCH), BATCH);
    const { loss, pass } = this.discriminatorLoss(real, fake);
    this.lossD = loss;
    if (loss < settings.restBelow) {
      this.rested += 1;
      return loss;
    }
    this.discriminator.clearGradients();
    pass();
    this.optimizers.d.step(settings.lrD);
    return loss;
  }

  // Mean binary cross-entropy of both kinds, and a function that adds its gradients.
  discriminatorLoss(real, fake) {
    const both = new Float64Array(4 * BATCH);
    both.set(real);
    both.set(fake, 2 * BATCH);
    const logits = this.discriminator.forward(both, 2 * BATCH);
    const gradient = new Float64Array(2 * BATCH);
    let loss = 0;
    for (let n = 0; n < 2 * BATCH; n++) {
      const isReal = n < BATCH;
      loss += softplus(isReal ? -logits[n] : logits[n]) / (2 * BATCH);
      gradient[n] = (sigmoid(logits[n]) - (isReal ? 1 : 0)) / (2 * BATCH);
    }
    return { loss, pass: () => this.discriminator.backward(gradient) };
  }

  // The second step: generated points are to get a 1; the discriminator passes gradients on and
  // stays as it is.
  stepGenerator(settings) {
    const fake = this.generator.forward(this.noise(BATCH), BATCH);
    const logits = this.discriminator.forward(fake, BATCH);
    let loss = 0;
    const gradient = logits.map((s) => {
      loss += softplus(-s) / BATCH;
      return (sigmoid(s) - 1) / BATCH;
    });
    const atPoints = this.discriminator.backward(gradient);
    this.generator.clearGradients();
    this.generator.backward(atPoints);
    this.optimizers.g.step(settings.lrG);
    this.steps += 1;
    push(this.losses.d, this.lossD); // of the last of its steps
    push(this.losses.g, loss);
    return loss;
  }

  step(settings) {
    for (let n = 0; n < settings.stepsD; n++) this.stepDiscriminator(settings);
    this.stepGenerator(settings);
  }

  samples() {
    return this.generator.forward(this.latents, this.latents.length / 2);
  }

  // The discriminator's output on a square grid over [-edge, edge]², row by row from above.
  field(side, edge) {
    const points = new Float64Array(2 * side * side);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const n = 2 * (row * side + column);
        points[n] = edge * ((2 * (column + 0.5)) / side - 1);
        points[n + 1] = edge * (1 - (2 * (row + 0.5)) / side);
      }
    }
    return this.discriminator.forward(points, side * side).map(sigmoid);
  }
}

function push(values, value) {
  values.push(value);
  if (values.length > KEPT) values.shift();
}
