// Sends a picture to the server as a data URL, whether it is chosen, taken with the camera, pasted or dropped.
const zone = element.querySelector(".photograph");
const failure = element.querySelector(".failure");
const shown = () => element.getClientRects().length > 0; // its tab is open

function send(file) {
  if (!file) return;
  const reader = new FileReader();
  reader.onload = () => {
    failure.textContent = "";
    props.value = reader.result;
    trigger("input");
  };
  reader.onerror = () => (failure.textContent = `${file.name} cannot be read`); // such as a folder
  reader.readAsDataURL(file.slice(0, props.most + 1)); // enough for the server to see that it is too large
}

for (const input of element.querySelectorAll("input")) {
  element.querySelector(`[data-do=${input.dataset.for}]`).addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    send(input.files[0]);
    input.value = ""; // the same file may be chosen again
  });
}

document.addEventListener("paste", (event) => {
  if (shown()) send(event.clipboardData.files[0]);
});

// Anywhere on the page: the browser would leave it to show a picture that was dropped beside the zone.
for (const kind of ["dragover", "dragleave", "drop"])
  document.addEventListener(kind, (event) => {
    if (!shown()) return;
    event.preventDefault();
    zone.classList.toggle("target", kind === "dragover");
    if (kind === "drop") send(event.dataTransfer.files[0]);
  });
