/** A text for people in which `backticks` mark what is typed. */
export function MarkedText({ text }: { text: string }) {
  return text.split('`').map((part, index) => {
    // Texts are never reordered: where a part stands is what it is known by.
    const key = `${index} ${part}`;
    return index % 2 === 0 ? part : <code key={key}>{part}</code>;
  });
}
