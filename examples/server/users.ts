import type { Principal } from 'tasklane';

/**
 * The users of TASKLANE_USERS: `{"admin-token":{"id":"admin","admin":true},"user-token":{"id":"user-1"}}`. A key is a bearer
 * token, or the user name or the password of basic authentication.
 * @throws {Error} when it is something else: a server that let everybody in by mistake would be worse
 */
export function usersOf(json: string): (request: Request) => Principal | null {
  const users = new Map<string, Principal>();
  for (const [key, user] of Object.entries(parse(json))) {
    if (!isPrincipal(user)) throw new Error(`TASKLANE_USERS: ${key} must be { "id": text, "admin"?: true or false }`);
    users.set(key, user);
  }
  return (request) => {
    for (const key of credentialsOf(request.headers.get('authorization') ?? '')) {
      const user = users.get(key);
      if (user !== undefined) return user;
    }
    return null;
  };
}

function parse(json: string): object {
  const users: unknown = JSON.parse(json);
  if (users === null || typeof users !== 'object' || Array.isArray(users)) {
    throw new Error('TASKLANE_USERS must be an object of users by token');
  }
  return users;
}

function isPrincipal(user: unknown): user is Principal {
  if (user === null || typeof user !== 'object') return false;
  const { id, admin } = user as { id?: unknown; admin?: unknown };
  return typeof id === 'string' && id !== '' && (admin === undefined || typeof admin === 'boolean');
}

/** What may be a key in an Authorization header (RFC 6750, RFC 7617). */
function credentialsOf(authorization: string): readonly string[] {
  const [, scheme = '', value = ''] = /^(\w+) +(\S+) *$/.exec(authorization) ?? [];
  if (scheme.toLowerCase() === 'bearer') return [value];
  if (scheme.toLowerCase() !== 'basic') return [];
  const [name = '', ...password] = Buffer.from(value, 'base64').toString().split(':');
  return [name, password.join(':')].filter((part) => part !== '');
}
