// What this browser keeps: conversations and settings. Images are kept small; where there is no room, the oldest goes.
const TALKS = "internvl4j.talks";
const LAST = "internvl4j.last";
const SETTINGS = "internvl4j.settings";

function read(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

export const settings = () => ({ system: "", temperature: 0, top_p: 1, max_tokens: 1024, seed: null, ...read(SETTINGS, {}) });

export function saveSettings(value) {
  try {
    localStorage.setItem(SETTINGS, JSON.stringify(value));
  } catch { /* a browser that keeps nothing still talks */ }
}

export const talks = () => read(TALKS, []);

/** The conversation that this tab showed last, if it is still there. */
export function last() {
  try {
    const id = sessionStorage.getItem(LAST);
    return talks().find((one) => one.id === id);
  } catch {
    return undefined;
  }
}

export function remember(talk) {
  try {
    sessionStorage.setItem(LAST, talk.id);
  } catch { /* as below */ }
}

/** Newest first; another tab may have changed the list meanwhile. */
export function save(talk) {
  remember(talk);
  let all = [talk, ...talks().filter((one) => one.id !== talk.id)];
  while (all.length > 0) {
    try {
      localStorage.setItem(TALKS, JSON.stringify(all));
      return;
    } catch {
      if (all.length === 1) return;
      all = all.slice(0, -1);
    }
  }
}

export function forget(id) {
  const left = id === undefined ? [] : talks().filter((one) => one.id !== id);
  localStorage.setItem(TALKS, JSON.stringify(left));
}
