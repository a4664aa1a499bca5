// ---- The decoder: runs a graph of ops on one code ---------------------------------------------------------
//
// A tensor is {shape, data}: dense, row-major, f32; the first axis is one example. Sums are f64, so that a
// picture is as near to the model's own as f32 allows. Attributes are those of the ops of graphrun, by name.

/** The standard normal distribution function: a series near 0, beyond it a continued fraction. */
function normalCdf(x) {
  const z = Math.abs(x);
  const density = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI);
  let share = 0;
  if (z < 3) {
    for (let term = z, n = 1; term > 1e-18; n++) {
      share += term;
      term *= z * z / (2 * n + 1);
    }
    share = 0.5 - density * share;
  } else {
    for (let n = 40; n > 0; n--) share = n / (z + share);
    share = density / (z + share);
  }
  return x < 0 ? share : 1 - share;
}

const unaryOps = {
  abs: () => Math.abs,
  clip: ({low, high}) => (x) => Math.min(Math.max(x, low ?? -Infinity), high ?? Infinity),
  cast: ({dtype}) => (x) => (dtype === "i32" || dtype === "u8" ? Math.trunc(x) : x),
  elu: ({alpha}) => (x) => (x > 0 ? x : alpha * Math.expm1(x)),
  exp: () => Math.exp,
  gelu: () => (x) => x * normalCdf(x),
  leaky_relu: ({slope}) => (x) => (x > 0 ? x : slope * x),
  log: ({floor, at_zero: atZero}) => (x) => Math.max(x === 0 ? atZero ?? -Infinity : Math.log(x), floor ?? -Infinity),
  neg: () => (x) => -x,
  relu: () => (x) => (x > 0 ? x : 0),
  sigmoid: () => (x) => 1 / (1 + Math.exp(-x)),
  silu: () => (x) => x / (1 + Math.exp(-x)),
  softplus: () => (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  sqrt: () => Math.sqrt,
  square: () => (x) => x * x,
  tanh: () => Math.tanh,
};

const binaryOps = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
};

const sizeOf = (shape) => shape.reduce((product, extent) => product * extent, 1);
const zeros = (shape) => ({shape, data: new Float32Array(sizeOf(shape))});

const knownPlaces = new Map();

/** For each element of a tensor of `shape`, the place of the element of `from` that is stretched to it. */
function stretchedPlaces(from, shape) {
  const name = `${from}|${shape}`;
  if (!knownPlaces.has(name)) knownPlaces.set(name, makeStretchedPlaces(from, shape));
  return knownPlaces.get(name);
}

function makeStretchedPlaces(from, shape) {
  const places = new Int32Array(sizeOf(shape));
  const offset = shape.length - from.length;
  let stride = 1;
  let repeat = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const extent = axis < offset ? 1 : from[axis - offset];
    if (extent > 1) {
      for (let i = 0; i < places.length; i++) places[i] += (Math.floor(i / repeat) % extent) * stride;
    }
    stride *= extent;
    repeat *= shape[axis];
  }
  return places;
}

function elementwise(inputs, shape, apply) {
  const y = zeros(shape);
  const places = inputs.map((x) => (x.data.length === y.data.length ? null : stretchedPlaces(x.shape, shape)));
  const at = (operand, i) => inputs[operand].data[places[operand] ? places[operand][i] : i];
  for (let i = 0; i < y.data.length; i++) y.data[i] = inputs.length === 1 ? apply(at(0, i)) : apply(at(0, i), at(1, i));
  return y;
}

function matmul([a, b], shape, {transpose_a, transpose_b}) {
  const columns = shape[shape.length - 1];
  const rows = sizeOf(shape) / columns; // w is one matrix
  const inner = transpose_a ? a.shape[0] : a.shape[a.shape.length - 1];
  const y = zeros(shape);
  for (let row = 0; row < rows; row++) {
    const sums = new Float64Array(columns);
    for (let k = 0; k < inner; k++) {
      const left = a.data[transpose_a ? k * rows + row : row * inner + k];
      if (left === 0) continue;
      if (transpose_b) {
        for (let column = 0; column < columns; column++) sums[column] += left * b.data[column * inner + k];
      } else {
        const from = k * columns;
        for (let column = 0; column < columns; column++) sums[column] += left * b.data[from + column];
      }
    }
    y.data.set(sums, row * columns);
  }
  return y;
}

/** Height and width of what may be one number for both. */
function both(value) {
  return Array.isArray(value) ? value : [value, value];
}

/** Calls visit(image pixel, window pixel, tap) for all that a kernel of kh x kw sees, in images [h, w]. */
function forEachTap([height, width], [rows, columns], [kh, kw], {stride, pad, dilation}, visit) {
  const [downwards, sideways] = both(stride);
  const [top, left] = pad.length === 4 ? [pad[0], pad[2]] : both(pad);
  const [down, right] = both(dilation);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (let i = 0; i < kh; i++) {
        const h = row * downwards - top + i * down;
        if (h < 0 || h >= height) continue;
        for (let j = 0; j < kw; j++) {
          const w = column * sideways - left + j * right;
          if (w >= 0 && w < width) visit(h * width + w, row * columns + column, i * kw + j);
        }
      }
    }
  }
}

function convolution([x, w], shape, attributes) {
  const [, , seen, outputs] = w.shape;
  const inputs = x.shape[3];
  const made = outputs / attributes.groups;
  const sums = new Float64Array(sizeOf(shape));
  forEachTap(x.shape.slice(1, 3), shape.slice(1, 3), w.shape, attributes, (from, to, tap) => {
    for (let c = 0; c < inputs; c++) {
      const value = x.data[from * inputs + c];
      if (value === 0) continue;
      const weights = (tap * seen + (c % seen)) * outputs;
      const first = Math.floor(c / seen) * made;
      for (let o = first; o < first + made; o++) sums[to * outputs + o] += value * w.data[weights + o];
    }
  });
  return {shape, data: Float32Array.from(sums)};
}

function transposedConvolution([x, w], shape, attributes) {
  const [, , made, inputs] = w.shape;
  const outputs = shape[3];
  const seen = inputs / attributes.groups;
  const sums = new Float64Array(sizeOf(shape));
  forEachTap(shape.slice(1, 3), x.shape.slice(1, 3), w.shape, attributes, (to, from, tap) => {
    for (let o = 0; o < outputs; o++) {
      const weights = (tap * made + (o % made)) * inputs;
      const first = Math.floor(o / made) * seen;
      let sum = 0;
      for (let c = first; c < first + seen; c++) sum += x.data[from * inputs + c] * w.data[weights + c];
      sums[to * outputs + o] += sum;
    }
  });
  return {shape, data: Float32Array.from(sums)};
}

/** Where the pixels of an enlarged axis lie between those of the small one. */
function blends(extent, {factor, mode}) {
  return Array.from({length: extent * factor}, (_, i) => {
    if (mode === "nearest") return {first: Math.floor(i / factor), second: 0, weight: 0};
    const inside = Math.min(Math.max((i + 0.5) / factor - 0.5, 0), extent - 1);
    const first = Math.floor(inside);
    return {first, second: Math.min(first + 1, extent - 1), weight: inside - first};
  });
}

function upsample([x], shape, attributes) {
  const y = zeros(shape);
  const [, , width, channels] = x.shape;
  const columns = blends(width, attributes);
  let at = 0;
  for (const h of blends(x.shape[1], attributes)) {
    for (const w of columns) {
      for (let c = 0; c < channels; c++, at++) {
        const pixel = (row, column) => x.data[(row * width + column) * channels + c];
        const along = (row) => (1 - w.weight) * pixel(row, w.first) + w.weight * pixel(row, w.second);
        y.data[at] = (1 - h.weight) * along(h.first) + h.weight * along(h.second);
      }
    }
  }
  return y;
}

function concat(inputs, shape, {axis}) {
  const y = zeros(shape);
  const along = axis < 0 ? axis + shape.length : axis;
  const outer = sizeOf(shape.slice(0, along));
  const row = sizeOf(shape.slice(along));
  let offset = 0;
  for (const x of inputs) {
    const part = x.data.length / outer;
    for (let i = 0; i < outer; i++) y.data.set(x.data.subarray(i * part, (i + 1) * part), i * row + offset);
    offset += part;
  }
  return y;
}

function oneHot([index], shape, {depth}) {
  const y = zeros(shape);
  index.data.forEach((value, i) => {
    if (value >= 0 && value < depth) y.data[i * depth + value] = 1;
  });
  return y;
}

function normalise([x, centre, scale, shift], shape) {
  const centred = elementwise([x, centre], shape, binaryOps.sub);
  return elementwise([elementwise([centred, scale], shape, binaryOps.mul), shift], shape, binaryOps.add);
}

const otherOps = {
  matmul,
  convolution,
  transposed_convolution: transposedConvolution,
  upsample,
  normalise,
  concat,
  one_hot: oneHot,
  reshape: ([x], shape) => ({shape, data: x.data}),
  broadcast_to: ([x], shape) => elementwise([x], shape, (value) => value),
};

function apply(node, inputs) {
  if (node.op in unaryOps) return elementwise(inputs, node.shape, unaryOps[node.op](node.attributes));
  if (node.op in binaryOps) return elementwise(inputs, node.shape, binaryOps[node.op]);
  return otherOps[node.op](inputs, node.shape, node.attributes);
}

/** Little-endian f32 or f16 numbers. */
function numbersOf(base64, precision) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  if (precision === "f32") return new Float32Array(bytes.buffer);
  const halves = new Uint16Array(bytes.buffer);
  return Float32Array.from(halves, (half) => {
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24
      : exponent === 31 ? (fraction ? NaN : Infinity)
      : (1 + fraction / 1024) * 2 ** (exponent - 15);
    return half & 0x8000 ? -size : size;
  });
}

/** decode(code, label) gives the values of an image, in [0, 1] for most models. */
function makeDecoder(description) {
  const weights = numbersOf(description.weights, description.precision);
  const leaves = new Map();
  description.nodes.forEach((node, id) => {
    if (node.op === "weights") {
      leaves.set(id, {shape: node.shape, data: weights.subarray(node.offset, node.offset + sizeOf(node.shape))});
    } else if (node.op === "constant") {
      const {values} = node.attributes;
      const count = sizeOf(node.shape);
      leaves.set(id, {shape: node.shape, data: Float32Array.from({length: count}, (_, i) => values[i % values.length])});
    }
  });
  return (code, label = 0) => {
    const values = [];
    description.nodes.forEach((node, id) => {
      if (node.op === "code") values[id] = {shape: node.shape, data: Float32Array.from(code)};
      else if (node.op === "label") values[id] = {shape: node.shape, data: Float32Array.of(label)};
      else values[id] = leaves.get(id) ?? apply(node, node.inputs.map((input) => values[input]));
    });
    return values[description.output].data;
  };
}
