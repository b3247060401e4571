// A group's name where there is little room for it. Pure.

/** At most `room` letters; what tells one of two equal names from the other, "(id)", is kept. */
export function shortened(text: string, room: number): string {
  if (text.length <= room) return text;
  const [, name = text, id = ""] = /^(.*)( \([^()]+\))$/.exec(text) ?? [];
  const rest = room - id.length - 1;
  return rest < 3 ? `${text.slice(0, room - 1)}…` : `${name.slice(0, rest)}…${id}`;
}
