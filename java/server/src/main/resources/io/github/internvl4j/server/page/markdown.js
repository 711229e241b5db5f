// Markdown as safe markup: an answer may hold anything, and an image of another site would tell that site.
import { marked } from "/marked.js";
import DOMPurify from "/purify.js";

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.tagName === "A") {
    node.setAttribute("rel", "noopener noreferrer");
    node.setAttribute("target", "_blank");
  }
  if (node.tagName === "PRE" || node.tagName === "TABLE") node.tabIndex = 0; // they scroll sideways, by keyboard, too
});

export function show(element, text) {
  const markup = marked.parse(text, { gfm: true, breaks: true });
  element.innerHTML = DOMPurify.sanitize(markup, { FORBID_TAGS: ["img", "style", "form", "input", "video", "audio", "iframe"], FORBID_ATTR: ["style"] });
}
