/** Of some names the one that somebody most likely meant who wrote another: null where none is near. */
export function nearest(written: string, names: readonly string[]): string | null {
  const word = written.toLowerCase();
  let found: string | null = null;
  let least = Math.min(3, Math.ceil(word.length / 3) + 1);
  for (const name of names) {
    const steps = distance(word, name.toLowerCase(), least);
    if (steps >= least) continue;
    found = name;
    least = steps;
  }
  return found;
}

/** How many letters to add, drop or change (Levenshtein); `most` where that many or more. */
function distance(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) >= most) return most;
  let above = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const line = [row];
    for (let column = 1; column <= other.length; column++) {
      const change = (above[column - 1] ?? 0) + Number(one[row - 1] !== other[column - 1]);
      line.push(Math.min(change, (above[column] ?? 0) + 1, (line[column - 1] ?? 0) + 1));
    }
    above = line;
  }
  return Math.min(above[other.length] ?? most, most);
}
