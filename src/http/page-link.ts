/** A link to another page of the same query (RFC 8288). */
export function pageLink(
  cursor: string | null,
  relation: 'next' | 'prev',
  search: URLSearchParams,
  path: string,
): string | null {
  if (cursor === null) return null;
  const query = new URLSearchParams(search);
  query.set('cursor', cursor);
  return `<${path}?${query}>; rel="${relation}"`;
}
