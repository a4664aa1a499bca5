// ---- Elements ---------------------------------------------------------------------------------------------
//
// All text that comes from a model reaches the page as text nodes and attribute values, never as markup.

const data = JSON.parse(document.getElementById("data").textContent);

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** An HTML element with attributes, listeners ("onclick") and children: elements or text. */
function html(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Tells a screen reader what has changed; of many changes in a row, the last. */
let pending = 0;
function say(text) {
  clearTimeout(pending);
  pending = setTimeout(() => { document.getElementById("spoken").textContent = text; }, 250);
}

const minus = (text) => text.replace("-", "\u2212");

/** Four significant digits, as short as that can be. */
function numberText(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "\u2013";
  if (value === 0) return "0";
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return minus(value.toLocaleString("en-US"));
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return minus(value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e"));
  return minus(value.toPrecision(digits).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, ""));
}

/** What a table is about. */
const caption = (text) => html("caption", {}, html("span", {}, text));

const labelName = (label) => data.label_names[label] ?? String(label);

/** A new section of the page, with its entry in the contents. */
function section(id, title, ...children) {
  document.getElementById("contents").append(html("a", {href: `#${id}`}, title));
  document.getElementById("content").append(
    html("section", {id, "aria-labelledby": `${id}-title`}, html("h2", {id: `${id}-title`}, title), ...children));
}

/** Calls draw(width) now and whenever the element has another width. */
function drawToWidth(element, draw) {
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.floor(element.clientWidth);
    if (now > 0 && now !== width) draw(width = now);
  }).observe(element);
}

// ---- Pictures ---------------------------------------------------------------------------------------------

/** Pictures of one size that came as one PNG, `columns` beside each other. */
async function loadSprite({png, count, columns, height, width}) {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  return {
    count, height, width,
    draw(canvas, index) {
      canvas.width = width;
      canvas.height = height;
      canvas.getContext("2d").drawImage(
        image, (index % columns) * width, Math.floor(index / columns) * height, width, height, 0, 0, width, height);
    },
  };
}

/** A picture with its description. */
function picture(sprite, index, description) {
  const canvas = html("canvas", {role: "img", "aria-label": description});
  sprite.draw(canvas, index);
  return canvas;
}

/** Writes values in [0, 1], row by row, as pixels. */
function drawValues(context, values, {height, width, channels}, left = 0, top = 0) {
  const pixels = context.createImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) pixels.data[4 * i + c] = 255 * values[i * channels + (channels === 3 ? c : 0)] + 0.5;
    pixels.data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, left, top);
}
