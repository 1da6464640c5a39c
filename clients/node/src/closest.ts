/** Suggests the name that a misspelt one may stand for. */

/** Returns the candidate with the fewest edits, ignoring case and underscores; undefined if none is similar. */
export function closest(name: string, candidates: readonly string[]): string | undefined {
  const written = normalized(name);
  const [best] = candidates
    .map((candidate) => ({ candidate, edits: editDistance(written, normalized(candidate)) }))
    .filter(({ edits }) => edits <= Math.max(1, written.length / 3))
    .sort((left, right) => left.edits - right.edits);
  return best?.candidate;
}

function normalized(name: string): string {
  return name.replaceAll("_", "").toLowerCase();
}

/** Returns the number of insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(from: string, to: string): number {
  const distances = Array.from({ length: from.length + 1 }, (_, line) => [line]);
  const at = (line: number, column: number) => distances[line]?.[column] ?? column;
  for (let line = 1; line <= from.length; line++) {
    for (let column = 1; column <= to.length; column++) {
      const isSame = from[line - 1] === to[column - 1];
      const isSwap = line > 1 && column > 1 && from[line - 1] === to[column - 2] && from[line - 2] === to[column - 1];
      distances[line]![column] = Math.min(
        at(line - 1, column) + 1,
        at(line, column - 1) + 1,
        at(line - 1, column - 1) + (isSame ? 0 : 1),
        isSwap ? at(line - 2, column - 2) + 1 : Infinity,
      );
    }
  }
  return at(from.length, to.length);
}
