// Records strokes, [x, y, x, y, ...] each, in the canvas's own 280 x 280 pixels, and sends them to the server.
const canvas = element.querySelector("canvas");
const pen = element.querySelector("input");
const context = canvas.getContext("2d");
const STEP = 7; // of the keyboard's pen
let strokes = [];
let pointer = null; // the one that draws the current stroke
let keyboard = null; // {x, y, down}, once a key was pressed
let waiting = false;

function position(event) {
  const box = canvas.getBoundingClientRect();
  const within = (value) => Math.round(Math.min(Math.max(value, 0), 280) * 10) / 10;
  return [within(((event.clientX - box.left) * 280) / box.width), within(((event.clientY - box.top) * 280) / box.height)];
}

function redraw() {
  context.clearRect(0, 0, 280, 280);
  context.strokeStyle = context.fillStyle = getComputedStyle(canvas).color;
  context.lineCap = context.lineJoin = "round";
  for (const { width, points } of strokes) {
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(points[0], points[1]);
    for (let i = 0; i < points.length; i += 2) context.lineTo(points[i], points[i + 1]);
    context.stroke();
  }
  if (keyboard && document.activeElement === canvas) {
    context.lineWidth = 2;
    context.beginPath();
    context.arc(keyboard.x, keyboard.y, keyboard.down ? 4 : 9, 0, 2 * Math.PI);
    context.stroke();
  }
}

function send() {
  redraw();
  if (waiting) return;
  waiting = true; // at most one message per animation frame
  requestAnimationFrame(() => {
    waiting = false;
    props.value = JSON.stringify({ size: 280, strokes });
    trigger("input");
  });
}

function begin(x, y) {
  strokes.push({ width: Number(pen.value), points: [x, y] });
}

canvas.addEventListener("pointerdown", (event) => {
  if (pointer !== null || event.button > 0) return;
  event.preventDefault();
  canvas.focus();
  pointer = event.pointerId;
  canvas.setPointerCapture(pointer);
  begin(...position(event));
  send();
});

canvas.addEventListener("pointermove", (event) => {
  if (event.pointerId !== pointer) return;
  for (const moved of event.getCoalescedEvents?.() ?? [event]) strokes.at(-1).points.push(...position(moved));
  send();
});

for (const end of ["pointerup", "pointercancel"])
  canvas.addEventListener(end, (event) => {
    if (event.pointerId === pointer) pointer = null;
  });

canvas.addEventListener("keydown", (event) => {
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  keyboard ??= { x: 140, y: 60, down: false };
  if (move) {
    keyboard.x = Math.min(Math.max(keyboard.x + STEP * move[0], 0), 280);
    keyboard.y = Math.min(Math.max(keyboard.y + STEP * move[1], 0), 280);
    if (keyboard.down) strokes.at(-1).points.push(keyboard.x, keyboard.y);
  } else if (event.key === " ") {
    keyboard.down = !keyboard.down;
    if (keyboard.down) begin(keyboard.x, keyboard.y);
  } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
    undo();
  } else return;
  event.preventDefault();
  send();
});
canvas.addEventListener("blur", redraw);

function undo() {
  strokes.pop();
  if (keyboard) keyboard.down = false;
  send();
}

element.querySelector("[data-do=undo]").addEventListener("click", undo);
element.querySelector("[data-do=clear]").addEventListener("click", () => {
  strokes = [];
  keyboard = null;
  send();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.body, { attributeFilter: ["class"] });
