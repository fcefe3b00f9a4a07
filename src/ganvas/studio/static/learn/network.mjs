// A small fully connected network with its gradients, written out, and Adam (Kingma and Ba, 2015).
const LEAK = 0.2; // slope of a leaky rectifier below 0

export class Network {
  // `sizes` are the numbers of units: inputs, hidden layers, outputs.
  constructor(sizes, random) {
    this.sizes = sizes;
    this.layers = sizes.slice(1).map((outputs, n) => {
      const inputs = sizes[n];
      const spread = Math.sqrt(2 / inputs); // keeps variances (He et al., 2015)
      return {
        inputs,
        outputs,
        weight: Float64Array.from({ length: inputs * outputs }, () => spread * random.normal()),
        bias: new Float64Array(outputs),
        weightGradient: new Float64Array(inputs * outputs),
        biasGradient: new Float64Array(outputs),
      };
    });
  }

  // Outputs for `count` rows of inputs; remembers what `backward` needs.
  forward(input, count) {
    this.count = count;
    this.seen = [input];
    let x = input;
    this.layers.forEach((layer, n) => {
      const last = n === this.layers.length - 1;
      const y = new Float64Array(count * layer.outputs);
      for (let row = 0; row < count; row++) {
        for (let o = 0; o < layer.outputs; o++) {
          let sum = layer.bias[o];
          const from = o * layer.inputs;
          const at = row * layer.inputs;
          for (let i = 0; i < layer.inputs; i++) sum += layer.weight[from + i] * x[at + i];
          y[row * layer.outputs + o] = last || sum > 0 ? sum : LEAK * sum;
        }
      }
      this.seen.push(y);
      x = y;
    });
    return x;
  }

  // Add the gradients of the weights for these gradients of the outputs; returns those of the inputs.
  backward(gradient) {
    let g = gradient;
    for (let n = this.layers.length - 1; n >= 0; n--) {
      const layer = this.layers[n];
      const x = this.seen[n];
      const y = this.seen[n + 1];
      const before = new Float64Array(this.count * layer.inputs);
      const last = n === this.layers.length - 1;
      for (let row = 0; row < this.count; row++) {
        const at = row * layer.inputs;
        for (let o = 0; o < layer.outputs; o++) {
          const place = row * layer.outputs + o;
          const slope = last || y[place] > 0 ? g[place] : LEAK * g[place];
          if (slope === 0) continue;
          const from = o * layer.inputs;
          layer.biasGradient[o] += slope;
          for (let i = 0; i < layer.inputs; i++) {
            layer.weightGradient[from + i] += slope * x[at + i];
            before[at + i] += slope * layer.weight[from + i];
          }
        }
      }
      g = before;
    }
    return g;
  }

  clearGradients() {
    for (const layer of this.layers) {
      layer.weightGradient.fill(0);
      layer.biasGradient.fill(0);
    }
  }

  parameters() {
    return this.layers.flatMap((layer) => [
      [layer.weight, layer.weightGradient],
      [layer.bias, layer.biasGradient],
    ]);
  }
}

export class Adam {
  constructor(network, beta1 = 0.5, beta2 = 0.999) {
    this.network = network;
    this.betas = [beta1, beta2];
    this.steps = 0;
    this.moments = network.parameters().map(([values]) => [new Float64Array(values.length), new Float64Array(values.length)]);
  }

  step(rate) {
    const [beta1, beta2] = this.betas;
    this.steps += 1;
    const size = (rate * Math.sqrt(1 - beta2 ** this.steps)) / (1 - beta1 ** this.steps);
    this.network.parameters().forEach(([values, gradients], n) => {
      const [first, second] = this.moments[n];
      for (let i = 0; i < values.length; i++) {
        first[i] += (1 - beta1) * (gradients[i] - first[i]);
        second[i] += (1 - beta2) * (gradients[i] ** 2 - second[i]);
        values[i] -= (size * first[i]) / (Math.sqrt(second[i]) + 1e-8);
      }
    });
  }
}
