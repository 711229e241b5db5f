// Images of a question: chosen, dropped or pasted. Large ones are made smaller here, as far as the model would see no difference.
const LARGEST = 2048;

export async function read(file) {
  const url = await new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(file);
  });
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    throw new Error(`${file.name || "the pasted file"} is no image that this browser can read`);
  }
  const scale = Math.min(1, LARGEST / Math.max(image.naturalWidth, image.naturalHeight));
  const known = /^data:image\/(jpeg|png|webp|gif|bmp);/.test(url);
  if (scale === 1 && known) return url;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(image.naturalWidth * scale);
  canvas.height = Math.round(image.naturalHeight * scale);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}

/** Calls back with the image files that are dropped or pasted anywhere on the page. */
export function listen(take, over) {
  let depth = 0;
  const files = (data) => [...(data?.files ?? [])].filter((file) => file.type.startsWith("image/"));
  const brings = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => { depth++; event.preventDefault(); over(brings(event)); });
  addEventListener("dragleave", () => { if (--depth <= 0) { depth = 0; over(false); } });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(false);
    take(files(event.dataTransfer));
  });
  addEventListener("paste", (event) => {
    const found = files(event.clipboardData);
    if (found.length > 0) {
      event.preventDefault();
      take(found);
    }
  });
}
