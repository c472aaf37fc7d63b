export default function Page() {
  return <p>The tasks are at /api/tasks.</p>;
}
