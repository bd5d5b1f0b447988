"use strict";
// The slider over pictures along training. All of a viewer lie in the page; one of them is shown.
for (const viewer of document.querySelectorAll("[data-viewer]")) {
  const turn = viewer.querySelector("[data-turn]");
  if (!turn) continue;
  const frames = [...viewer.querySelectorAll(".frames img")];
  const readings = [...viewer.querySelectorAll("[data-reading]")];
  const slider = turn.querySelector("input");
  const play = turn.querySelector("[data-play]");
  const now = viewer.querySelector("[data-now]");
  let timer = 0;

  const show = (place) => {
    for (const shown of [frames, readings]) shown.forEach((part, other) => { part.hidden = other !== place; });
    const label = frames[place].dataset.label;
    now.textContent = label;
    slider.setAttribute("aria-valuetext", label);
  };
  const pause = () => {
    clearInterval(timer);
    timer = 0;
    play.textContent = "Play";
    play.setAttribute("aria-pressed", "false");
  };
  const forward = () => {
    slider.value = Number(slider.value) + 1;
    show(Number(slider.value));
    if (Number(slider.value) === frames.length - 1) pause();
  };
  const start = () => {
    if (Number(slider.value) === frames.length - 1) { slider.value = 0; show(0); }
    timer = setInterval(forward, Math.min(500, Math.max(80, 6000 / frames.length)));
    play.textContent = "Pause";
    play.setAttribute("aria-pressed", "true");
  };

  slider.addEventListener("input", () => { pause(); show(Number(slider.value)); });
  play.addEventListener("click", () => (timer ? pause() : start()));
  turn.hidden = false;
  slider.value = frames.length - 1; // a reloaded page may remember another place
  show(frames.length - 1);
}
