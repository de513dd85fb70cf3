import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { encode } from "jpeg-js";

// Draws sample.jpg, the picture that the README uploads: a mountain lake at dusk. It uses seeded noise,
// the four IEEE 754 operations and square roots only (the last digits of sin, exp and pow differ between
// engines), so the bytes are the same on every machine.

type Vector = [number, number, number];

export const WIDTH = 1200;
export const HEIGHT = 800;
const HORIZON = 470;
const SUN = { x: 712, y: 322, radius: 27 };
const QUALITY = 73;

const clamp = (value: number): number => Math.min(1, Math.max(0, value));

function smoothstep(from: number, to: number, value: number): number {
  const t = clamp((value - from) / (to - from));
  return t * t * (3 - 2 * t);
}

function mix(from: Vector, to: Vector, amount: number): Vector {
  return [
    from[0] + (to[0] - from[0]) * amount,
    from[1] + (to[1] - from[1]) * amount,
    from[2] + (to[2] - from[2]) * amount,
  ];
}

function add(color: Vector, light: Vector, amount: number): Vector {
  return [color[0] + light[0] * amount, color[1] + light[1] * amount, color[2] + light[2] * amount];
}

/** A deterministic number from 0 to 1 for a point of a lattice. */
function hash(x: number, y: number, seed: number): number {
  let h = Math.imul(x, 374761393) ^ Math.imul(y, 668265263) ^ Math.imul(seed, 1274126177);
  h = Math.imul(h ^ (h >>> 13), 1103515245);
  h = Math.imul(h ^ (h >>> 16), 2246822519);
  return ((h ^ (h >>> 15)) >>> 0) / 4294967296;
}

function valueNoise(x: number, y: number, seed: number): number {
  const left = Math.floor(x);
  const top = Math.floor(y);
  const u = smoothstep(0, 1, x - left);
  const v = smoothstep(0, 1, y - top);
  const upper = hash(left, top, seed) * (1 - u) + hash(left + 1, top, seed) * u;
  const lower = hash(left, top + 1, seed) * (1 - u) + hash(left + 1, top + 1, seed) * u;
  return upper * (1 - v) + lower * v;
}

/** The sum of noise at several scales, from 0 to 1. */
function fractal(x: number, y: number, octaves: number, seed: number): number {
  let sum = 0;
  let total = 0;
  let weight = 1;
  for (let octave = 0; octave < octaves; octave++) {
    const scale = 1 << octave;
    sum += weight * valueNoise(x * scale, y * scale, seed + octave);
    total += weight;
    weight *= 0.5;
  }
  return sum / total;
}

const SKY: [height: number, color: Vector][] = [
  [0, [46, 62, 108]],
  [0.35, [104, 104, 152]],
  [0.62, [196, 140, 152]],
  [0.82, [244, 180, 132]],
  [1, [255, 214, 150]],
];

function skyGradient(height: number): Vector {
  for (let index = 1; index < SKY.length; index++) {
    const [low, from] = SKY[index - 1] ?? [0, [0, 0, 0]];
    const [high, to] = SKY[index] ?? [1, [0, 0, 0]];
    if (height <= high) {
      return mix(from, to, smoothstep(low, high, height));
    }
  }
  return SKY.at(-1)?.[1] ?? [0, 0, 0];
}

function sky(x: number, y: number): Vector {
  const height = clamp(y / HORIZON);
  const distance = Math.sqrt((x - SUN.x) * (x - SUN.x) + (y - SUN.y) * (y - SUN.y));
  const near = 1 / (1 + (distance / 150) * (distance / 150));
  let color = add(skyGradient(height), [70, 38, 4], near);

  // Clouds are flatter towards the horizon, and lit at their lower edges.
  const depth = 1 / (1.12 - height);
  const cloud = fractal((x / 330) * (0.6 + height * 0.6), depth * 2.2, 6, 11);
  const lit = fractal((x / 330) * (0.6 + height * 0.6), depth * 2.2 + 0.12, 6, 11);
  const cover = smoothstep(0.5, 0.72, cloud) * (1 - smoothstep(0.75, 0.97, height)) * 0.85;
  const shade = mix([112, 92, 128], [255, 186, 146], clamp(0.3 + (cloud - lit) * 5 + near * 0.9));
  color = mix(color, shade, cover);

  const disc = 1 - smoothstep(SUN.radius - 3, SUN.radius + 2, distance);
  // Above white, so that the sun is also the brightest spot in the water.
  return mix(color, [370, 268, 190], disc);
}

interface Ridge {
  base: number;
  height: number;
  width: number;
  octaves: number;
  seed: number;
  color: Vector;
  haze: Vector;
  trees: number;
}

// From the farthest to the nearest, each darker, rougher and less hazy.
const RIDGES: Ridge[] = [
  {
    base: 400,
    height: 190,
    width: 430,
    octaves: 6,
    seed: 31,
    color: [132, 116, 150],
    haze: [236, 178, 152],
    trees: 0,
  },
  {
    base: 430,
    height: 150,
    width: 330,
    octaves: 6,
    seed: 47,
    color: [92, 86, 122],
    haze: [198, 150, 148],
    trees: 0,
  },
  {
    base: 452,
    height: 110,
    width: 260,
    octaves: 7,
    seed: 63,
    color: [58, 60, 90],
    haze: [138, 112, 130],
    trees: 3,
  },
  {
    base: 468,
    height: 66,
    width: 210,
    octaves: 6,
    seed: 86,
    color: [30, 36, 54],
    haze: [66, 62, 82],
    trees: 12,
  },
];

function crest(ridge: Ridge): Float64Array {
  return Float64Array.from({ length: WIDTH }, (_, x) => {
    const broad = fractal(x / ridge.width + 5, 0.5, ridge.octaves, ridge.seed);
    // Folding the noise turns its middle values into peaks.
    const folded = 1 - Math.abs(2 * broad - 1);
    const valley = smoothstep(0, 460, Math.abs(x - SUN.x)) * 0.55 + 0.45;
    const top = ridge.base - ridge.height * folded * folded * valley;
    return top - ridge.trees * treetop(x, ridge.seed);
  });
}

/** The height of a row of firs at x, from 0 to 1. */
function treetop(x: number, seed: number): number {
  let height = 0;
  for (let tree = Math.floor(x / 7) - 1; tree <= Math.floor(x / 7) + 1; tree++) {
    const middle = (tree + hash(tree, 1, seed)) * 7;
    const size = 0.35 + 0.65 * hash(tree, 2, seed);
    height = Math.max(height, size * (1 - Math.abs(x - middle) / (4.5 * size)));
  }
  return height;
}

const CRESTS = RIDGES.map(crest);

/** The land and sky above the water line. */
function scene(x: number, y: number): Vector {
  const column = Math.min(WIDTH - 1, Math.max(0, Math.round(x)));
  let color = sky(x, y);
  for (const [index, ridge] of RIDGES.entries()) {
    const top = CRESTS[index]?.[column] ?? HORIZON;
    const inside = smoothstep(top - 0.7, top + 0.7, y);
    if (inside === 0) {
      continue;
    }
    const slope = fractal(x / 46, y / 30, 5, ridge.seed + 200) - 0.5;
    const veil = clamp((y - top) / (HORIZON - top + 1)) * 0.9;
    const lit = clamp(1 - Math.abs(x - SUN.x) / 420) * 0.22;
    const rock = add(ridge.color, [46, 40, 34], slope);
    color = mix(color, mix(rock, ridge.haze, veil * veil + lit), inside);
  }
  return color;
}

function water(x: number, y: number): Vector {
  const depth = (y - HORIZON) / (HEIGHT - HORIZON);
  // Ripples grow towards the viewer: long and low in perspective.
  const scale = 0.02 + depth * 0.98;
  const wave = fractal(x / (26 + 200 * scale), 7 / (scale + 0.06) + y / 26, 4, 131) - 0.5;
  const ripple = fractal(x / (8 + 70 * scale), y / (1.2 + 7 * scale), 4, 157) - 0.5;
  const shift = wave * (6 + 60 * depth) + ripple * (5 + 46 * depth);
  const mirrored = Math.max(0, HORIZON - (y - HORIZON) * 1.25 - shift);
  const reflected = scene(x + ripple * 150 * depth, Math.min(HORIZON - 1, mirrored));
  // The steeper the view, the weaker the reflection and the stronger the water's own colour.
  let color = mix(reflected, [28, 32, 58], 0.1 + 0.5 * depth);
  const path = 1 - smoothstep(10, 46 + 120 * depth, Math.abs(x - SUN.x + wave * 60));
  const glint = smoothstep(0.04, 0.2, ripple + path * 0.05) * path * (1 - depth * 0.55);
  color = add(color, [150, 104, 58], glint);
  const shore = 1 - smoothstep(0, 7, y - HORIZON);
  return mix(color, [40, 42, 58], shore * 0.75);
}

function shadePixel(x: number, y: number): Vector {
  const color = y < HORIZON ? scene(x, y) : water(x, y);
  const dx = x / WIDTH - 0.5;
  const dy = y / HEIGHT - 0.5;
  const vignette = 1 - 0.55 * (dx * dx + dy * dy);
  const grain = (hash(x, y, 997) + hash(x, y, 1009) - 1) * 3;
  return add([grain, grain, grain], color, vignette);
}

/** Draws the picture as a JPEG file, always with the same bytes. */
export function drawSample(): Buffer {
  const data = Buffer.alloc(WIDTH * HEIGHT * 4, 255);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const color = shadePixel(x, y);
      for (const [channel, value] of color.entries()) {
        data[(y * WIDTH + x) * 4 + channel] = Math.round(clamp(value / 255) * 255);
      }
    }
  }
  return encode({ data, width: WIDTH, height: HEIGHT }, QUALITY).data;
}

if (require.main === module) {
  writeFileSync(join(__dirname, "..", "sample.jpg"), drawSample());
}
