// Records strokes, [x, y, x, y, ...] each, in the canvas's own 280 x 280 pixels, and sends them to the server.
const canvas = element.querySelector("canvas");
const pen = element.querySelector("input");
const context = canvas.getContext("2d");
const STEP = 7; // of the keyboard's pen
let strokes = [];
let pointer = null; // {id, stroke} of the one that draws
let keyboard = null; // {x, y, stroke}, once a key was pressed; the stroke while its pen is down
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
    context.arc(keyboard.x, keyboard.y, keyboard.stroke ? 4 : 9, 0, 2 * Math.PI);
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
  const stroke = { width: Number(pen.value), points: [x, y] };
  strokes.push(stroke);
  return stroke;
}

canvas.addEventListener("pointerdown", (event) => {
  if (pointer !== null || event.button > 0) return;
  event.preventDefault();
  canvas.focus();
  canvas.setPointerCapture(event.pointerId);
  pointer = { id: event.pointerId, stroke: begin(...position(event)) };
  send();
});

canvas.addEventListener("pointermove", (event) => {
  if (event.pointerId !== pointer?.id) return;
  for (const moved of event.getCoalescedEvents?.() ?? [event]) pointer.stroke.points.push(...position(moved));
  send();
});

for (const end of ["pointerup", "pointercancel"])
  canvas.addEventListener(end, (event) => {
    if (event.pointerId === pointer?.id) pointer = null;
  });

canvas.addEventListener("keydown", (event) => {
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  keyboard ??= { x: 140, y: 60, stroke: null };
  if (move) {
    keyboard.x = Math.min(Math.max(keyboard.x + STEP * move[0], 0), 280);
    keyboard.y = Math.min(Math.max(keyboard.y + STEP * move[1], 0), 280);
    keyboard.stroke?.points.push(keyboard.x, keyboard.y);
  } else if (event.key === " ") {
    keyboard.stroke = keyboard.stroke ? null : begin(keyboard.x, keyboard.y);
  } else if (event.key === "z" && (event.ctrlKey || event.metaKey)) {
    undo();
  } else return;
  event.preventDefault();
  send();
});
canvas.addEventListener("blur", redraw);

function undo() {
  const undone = strokes.pop();
  if (!undone) return;
  if (pointer?.stroke === undone) pointer = null; // what still moves draws no more
  if (keyboard?.stroke === undone) keyboard.stroke = null;
  send();
}

element.querySelector("[data-do=undo]").addEventListener("click", undo);
element.querySelector("[data-do=clear]").addEventListener("click", () => {
  strokes = [];
  pointer = keyboard = null;
  send();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
new MutationObserver(redraw).observe(document.body, { attributeFilter: ["class"] });
